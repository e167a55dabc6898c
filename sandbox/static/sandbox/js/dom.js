/** Makes elements: h("button", {class: "x", onclick: f, disabled: false}, "text", child). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name === "style") setProperties(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Through the object model: the page's policy refuses style attributes. */
function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Replaces what a list shows, keeping the elements whose `data-key` stays, and the focus. */
export function showRows(list, rows) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const shown = rows.map(({ key, stamp, make }) => {
    const known = old.get(key);
    if (known && known.dataset.stamp === stamp) return known;
    const row = make();
    row.dataset.key = key;
    row.dataset.stamp = stamp;
    if (known) keepFocus(known, row);
    return row;
  });
  const focused = document.activeElement;
  shown.forEach((row, at) => {
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  });
  while (list.children.length > shown.length) list.lastElementChild.remove();
  if (focused && focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** Moves the focus from a part of `before` to the part at the same place of `after`, else to `otherwise`. */
export function keepFocus(before, after, otherwise = null) {
  const place = before.contains(document.activeElement) && document.activeElement.closest("[data-place]")?.dataset.place;
  if (!place) return;
  queueMicrotask(() => {
    const successor = after.querySelector(`[data-place="${CSS.escape(place)}"]`) ?? otherwise;
    successor?.focus({ preventScroll: true });
  });
}
