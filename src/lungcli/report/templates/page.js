// What all parts of the page share: the data, and how elements are made.
// Text becomes text nodes only; the policy of the page forbids anything else.

/**
 * @typedef {object} Row A case; see rows.py.
 * @property {string} name
 * @property {string} link
 * @property {string} source
 * @property {boolean} failed
 * @property {string[]} flags
 * @property {(string | number | null)[]} cells
 * @property {Record<string, string[]>} details
 * @property {Record<string, string>} facts
 * @property {number | null} picture
 * @property {string} search
 */

const byId = (id) => document.getElementById(id);
const { columns, labels, rows } = JSON.parse(byId("document").textContent);

/** Make an element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The address of a case within the page. */
function hashOf(/** @type {Row} */ row) {
  return `#case=${encodeURIComponent(row.link).replaceAll("%2F", "/")}`;
}

/** The case that the address names, if there is one. */
function rowOfAddress() {
  if (!location.hash.startsWith("#case=")) return undefined;
  try {
    const link = decodeURIComponent(location.hash.slice(6));
    return rows.find((row) => row.link === link);
  } catch {
    return undefined; // not ours: a broken escape
  }
}

/** Decode the pictures of a case; only those of shown cases ever are. */
function picturesOf(/** @type {Row} */ row) {
  return row.picture === null ? null : JSON.parse(byId(`picture-${row.picture}`).textContent);
}

/** Stack the X-ray and one overlay; either may be missing. */
function layerImages(pictures, overlay, alt = "") {
  const names = new Set(["xray", overlay].filter((name) => pictures[name] !== undefined));
  return [...names].map((name) =>
    make("img", { src: pictures[name], alt, class: name, decoding: "sync", draggable: "false" }),
  );
}
