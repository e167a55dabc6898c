/** Short words over the page: a toast, an alert, a picture in full. */
import { byId } from "./dom.js";

const TOAST_MS = 3_500;
let hiding = null;

export function toast(text) {
  const element = byId("toast");
  element.textContent = text;
  element.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => element.classList.remove("shown"), TOAST_MS);
}

export function alertBox(text) {
  byId("alert-text").textContent = text;
  if (!byId("alert").open) byId("alert").showModal();
}

export function showPicture(address, description) {
  const box = byId("lightbox");
  const image = box.querySelector("img");
  image.src = address;
  image.alt = description;
  box.showModal();
}

/** Runs what talks to the sandbox; an error becomes a toast. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // not a secure context: a phone that came by the machine's address
  }
  toast("Copied to clipboard");
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
