// The viewer of one case, and how the address, the keys and the table lead to it.

const LAYERS = { xray: "X-ray", predicted: "Predicted", gold: "Gold Std", difference: "Difference" };
const LAYER_KEYS = { 0: "xray", x: "xray", 1: "predicted", 2: "gold", 3: "difference" };
const PRINTED = 6; // cases with pictures on paper
const PAN = 60; // pixels a key
const BY_ADDRESS = "address"; // why the viewer was closed

const viewer = byId("viewer");
/** @type {Row | undefined} */
let current;
let layer = "predicted";
let opened = false; // from this page, so that going back leads to the table
let addressTimer = 0;
let opener = { row: undefined, element: undefined }; // where the focus came from

function showCase(/** @type {Row} */ row) {
  current = row;
  const index = shown.indexOf(row);
  byId("case-name").textContent = row.name;
  byId("case-place").textContent =
    index < 0 ? "not among the filtered cases" : `${index + 1} of ${shown.length}`;
  byId("previous").disabled = index === 0;
  byId("next").disabled = index === shown.length - 1;
  showFacts(row);
  if (!viewer.open) {
    opener = { row, element: document.activeElement };
    viewer.returnValue = "";
    viewer.showModal();
    byId("stage").focus();
  }
  showPictures();
  resetZoom();
}

function showFacts(row) {
  const flags = row.flags.map((flag) => make("li", { class: "flag" }, flag));
  byId("case-flags").replaceChildren(...flags);
  const scores = labels.map((label, index) => {
    const texts = Object.values(row.details).map((texts) => make("td", {}, texts[index]));
    return make("tr", {}, make("th", { scope: "row" }, label), ...texts);
  });
  byId("case-scores").replaceChildren(...scores);
  const facts = Object.entries(row.facts).map(([name, text]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, text)),
  );
  byId("case-facts").replaceChildren(...facts);
}

function showPictures() {
  const pictures = picturesOf(current);
  byId("no-picture").hidden = pictures !== null;
  byId("fit").hidden = pictures === null;
  byId("layers").replaceChildren(...(pictures ? layerImages(pictures, layer) : []));
  if (pictures) byId("fit").style.setProperty("--ratio", pictures.width / pictures.height);
  byId("stage").setAttribute("aria-label", `${LAYERS[layer]} of ${current.name}`);
  document.querySelectorAll("[data-layer]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.layer === layer));
  });
  document.querySelectorAll(".legend li").forEach((item) => {
    item.hidden = layer === "xray" || item.classList.contains("error") !== (layer === "difference");
  });
  applyOpacity();
}

function showLayer(name) {
  layer = name;
  showPictures();
}

function applyOpacity() {
  const overlay = byId("layers").querySelector("img:not(.xray)");
  if (overlay) overlay.style.opacity = byId("opacity").value / 100;
}

/** Go to a neighbour in the table. Browsers limit how often the address may change. */
function step(by) {
  const row = shown[shown.indexOf(current) + by] ?? (shown.includes(current) ? undefined : shown[0]);
  if (!row) return;
  showCase(row);
  clearTimeout(addressTimer);
  addressTimer = setTimeout(() => history.replaceState(null, "", hashOf(row)), 200);
}

function followAddress(event) {
  clearTimeout(addressTimer);
  const row = rowOfAddress();
  if (row) {
    opened = event !== undefined;
    showCase(row);
  } else {
    viewer.close(BY_ADDRESS);
    returnFocus();
  }
}

/** Go on where the viewer was opened, or at the case that was seen last. */
function returnFocus() {
  if (!current) return;
  if (current === opener.row && opener.element !== document.body) {
    opener.element.focus({ preventScroll: true });
  } else {
    linkTo(current)?.focus();
  }
}

/** Let the address follow the person. The event comes late: the address may have changed again. */
function leaveCase() {
  if (viewer.open || viewer.returnValue === BY_ADDRESS) return;
  clearTimeout(addressTimer);
  if (opened) history.back();
  else {
    history.replaceState(null, "", "#cases");
    returnFocus();
  }
}

function pressKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const name = LAYER_KEYS[event.key.toLowerCase()];
  const arrow = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (name) showLayer(name);
  else if (arrow && event.shiftKey) panBy(PAN * arrow[0], PAN * arrow[1]);
  else if (arrow?.[0] && event.target.id !== "opacity") step(-arrow[0]);
  else if (event.key === "+" || event.key === "=") zoomBy(1.5);
  else if (event.key === "-") zoomBy(1 / 1.5);
  else return;
  event.preventDefault();
}

function startViewer() {
  viewer.addEventListener("keydown", pressKey);
  viewer.addEventListener("close", leaveCase);
  byId("close").addEventListener("click", () => viewer.close());
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("opacity").addEventListener("input", applyOpacity);
  document.querySelector(".segments").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) showLayer(button.dataset.layer);
  });
  addEventListener("hashchange", followAddress);
  followAddress();
}

/** Put the worst cases where only paper shows them, once there is time for it. */
function fillPrintCases() {
  const worst = rows.filter((row) => row.picture !== null).slice(0, PRINTED);
  const figures = worst.map((row) => {
    const pictures = picturesOf(row);
    const stack = make("div", { class: "stack" }, ...layerImages(pictures, "difference"));
    const dice = `Dice ${row.details.lungs[0]}`;
    return make("figure", {}, stack, make("figcaption", {}, `${row.name} · ${dice}`));
  });
  byId("print-cases").hidden = !figures.length;
  document.querySelector("#print-cases div").replaceChildren(...figures);
}

startTable();
startZoom();
startViewer();
(globalThis.requestIdleCallback ?? setTimeout)(fillPrintCases);
