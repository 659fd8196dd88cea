// Zoom and pan of the stage: wheel, pinch, drag, buttons and keys.

const MOST = 12;
const place = { scale: 1, x: 0, y: 0 }; // x and y: from the middle, in pixels of the screen
/** @type {Map<number, {x: number, y: number}>} */
const fingers = new Map();

function applyZoom() {
  const { offsetWidth: width, offsetHeight: height } = byId("fit");
  const reach = (place.scale - 1) / 2; // beyond it lies nothing but black
  place.x = Math.max(-reach * width, Math.min(reach * width, place.x));
  place.y = Math.max(-reach * height, Math.min(reach * height, place.y));
  byId("layers").style.transform = `translate(${place.x}px, ${place.y}px) scale(${place.scale})`;
  byId("zoom-level").value = `${Math.round(100 * place.scale)} %`;
  byId("stage").classList.toggle("zoomed", place.scale > 1);
}

/** Zoom by a factor; what lies under the point stays there. */
function zoomBy(factor, x = 0, y = 0) {
  const scale = Math.max(1, Math.min(MOST, place.scale * factor));
  place.x = x - ((x - place.x) * scale) / place.scale;
  place.y = y - ((y - place.y) * scale) / place.scale;
  place.scale = scale;
  applyZoom();
}

function panBy(x, y) {
  place.x += x;
  place.y += y;
  applyZoom();
}

function resetZoom() {
  Object.assign(place, { scale: 1, x: 0, y: 0 });
  applyZoom();
}

/** The place of an event, from the middle of the picture. */
function fromMiddle(event) {
  const box = byId("fit").getBoundingClientRect();
  return [event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2];
}

/** The middle of all fingers and their spread around it. */
function grip() {
  const points = [...fingers.values()];
  const x = points.reduce((sum, point) => sum + point.x, 0) / points.length;
  const y = points.reduce((sum, point) => sum + point.y, 0) / points.length;
  const spread = Math.max(...points.map((point) => Math.hypot(point.x - x, point.y - y)));
  return { x, y, spread };
}

function follow(event) {
  if (!fingers.has(event.pointerId)) return;
  const before = grip();
  const [x, y] = fromMiddle(event);
  fingers.set(event.pointerId, { x, y });
  const after = grip();
  panBy(after.x - before.x, after.y - before.y);
  if (before.spread > 0 && after.spread > 0) zoomBy(after.spread / before.spread, after.x, after.y);
}

function startZoom() {
  const stage = byId("stage");
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...fromMiddle(event));
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    const [x, y] = fromMiddle(event);
    fingers.set(event.pointerId, { x, y });
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", follow);
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener("dblclick", resetZoom);
  byId("zoom-in").addEventListener("click", () => zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => zoomBy(1 / 1.5));
  addEventListener("resize", applyZoom);
}
