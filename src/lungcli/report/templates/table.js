// The table of cases: filtered and sorted at once, drawn as far as it is scrolled.

const CHUNK = 100; // rows drawn at a time
const words = new Intl.Collator(undefined, { numeric: true });
const sorting = { column: columns.findIndex((column) => column.score === "dice"), down: false };

/** @type {Row[]} In the order of the table; the viewer follows it. */
let shown = rows;
let drawn = 0;

function matches(row, text, source, flag) {
  if (source && row.source !== source) return false;
  if (flag && !(flag === "*" ? row.flags.length : row.flags.includes(flag))) return false;
  return text.every((word) => row.search.includes(word));
}

/** Order two cells; what is undefined comes last either way. */
function compare(one, other) {
  const [a, b] = [one.cells[sorting.column], other.cells[sorting.column]];
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" ? a - b : words.compare(a, b);
  return sorting.down ? -order : order;
}

function updateTable() {
  const text = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [source, flag] = ["source", "flag"].map((id) => byId(id)?.value ?? "");
  shown = rows.filter((row) => matches(row, text, source, flag)).sort(compare);
  byId("count").value =
    shown.length === rows.length ? `${rows.length} cases` : `${shown.length} of ${rows.length} cases`;
  byId("empty").hidden = shown.length > 0;
  byId("rows").replaceChildren();
  drawn = 0;
  drawRows(CHUNK);
}

function drawRows(count) {
  const chunk = shown.slice(drawn, drawn + count);
  byId("rows").append(...chunk.map(drawRow));
  drawn += chunk.length;
}

function drawRow(row) {
  const cells = columns.map((column, index) => drawCell(column, row.cells[index], row, index));
  cells.push(make("td", { class: "minor" }, ...drawFlags(row)));
  // small screens have no place for a column of flags
  if (row.flags.length) cells[0].append(make("div", { class: "inline-flags" }, ...drawFlags(row)));
  return make("tr", row.failed ? { class: "failed" } : {}, ...cells);
}

function drawFlags(row) {
  return row.flags.map((flag) => make("span", { class: "flag" }, flag));
}

function drawCell(column, value, row, index) {
  const kind = `${column.score ? "number" : "text"}${column.minor ? " minor" : ""}`;
  if (index === 0) {
    return make("th", { scope: "row" }, make("a", { href: hashOf(row) }, value));
  }
  const text = typeof value === "number" ? value.toFixed(column.digits) : (value ?? "–");
  return make("td", { class: kind }, text);
}

/** The link to a case, drawn if need be; undefined where the filter hides it. */
function linkTo(/** @type {Row} */ row) {
  const index = shown.indexOf(row);
  drawRows(Math.max(0, index + 1 - drawn));
  return byId("rows").rows[index]?.querySelector("a");
}

function sortBy(index) {
  const worstIsHigh = columns[index].worst === "high";
  sorting.down = index === sorting.column ? !sorting.down : worstIsHigh;
  sorting.column = index;
  document.querySelectorAll(".cases thead th").forEach((head, place) => {
    if (place === index) head.setAttribute("aria-sort", sorting.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  });
  updateTable();
}

function startTable() {
  byId("toolbar").addEventListener("input", updateTable);
  byId("toolbar").addEventListener("submit", (event) => event.preventDefault());
  byId("reset").addEventListener("click", () => {
    byId("toolbar").reset();
    updateTable();
    byId("search").focus();
  });
  document.querySelector(".cases thead").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) sortBy(Number(button.dataset.column));
  });
  byId("rows").addEventListener("click", (event) => {
    if (!event.target.closest("a")) event.target.closest("tr")?.querySelector("a").click();
  });
  const end = byId("more");
  const scrolled = new IntersectionObserver((entries) => {
    if (drawn === shown.length || !entries.at(-1).isIntersecting) return;
    drawRows(CHUNK);
    scrolled.unobserve(end); // asks again: a tall screen takes more than a chunk
    scrolled.observe(end);
  }, { rootMargin: "600px" });
  scrolled.observe(end);
  addEventListener("beforeprint", () => drawRows(rows.length));
  updateTable();
}
