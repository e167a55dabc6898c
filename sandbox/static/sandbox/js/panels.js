/** Bank and inspector: beside the chat where there is room, over it where there is none. */
import { byId } from "./dom.js";
import { go, leave, place } from "./place.js";
import { recall, remember } from "./storage.js";

const SIDE_PANEL = "quickcart-panel";
const NAMES = ["bank", "inspector"];
const wide = matchMedia("(min-width: 1180px)");
export const phone = matchMedia("(max-width: 759px)");

export class Panels {
  #shown = null;

  constructor({ onInspector, onPlace }) {
    Object.assign(this, { onInspector, onPlace });
    wide.addEventListener("change", () => this.show(place().panel));
    byId("scrim").addEventListener("click", () => this.#shown && this.toggle(this.#shown));
  }

  /** Whether nothing lies over the chat. */
  get isCalm() {
    return wide.matches || this.#shown === null;
  }

  /** On a wide screen a panel stands beside the chat and stays; elsewhere it is a place of its own. */
  show(panel) {
    const before = this.#shown;
    this.#shown = wide.matches ? sidePanel() : NAMES.find((name) => name === panel) ?? null;
    for (const name of NAMES) {
      byId(name).hidden = this.#shown !== name;
      byId(`open-${name}`).setAttribute("aria-expanded", String(this.#shown === name));
    }
    document.body.classList.toggle("with-panel", this.#shown !== null);
    byId("scrim").hidden = this.isCalm;
    for (const behind of [byId("conversation"), byId("chats")]) behind.inert = !this.isCalm;
    this.onInspector(this.#shown === "inspector");
    if (before !== this.#shown && !wide.matches) this.#moveFocus(before);
  }

  #moveFocus(before) {
    if (this.#shown) byId(this.#shown).querySelector("[data-close]").focus();
    else if (before) byId(phone.matches && before === "inspector" ? "open-menu" : `open-${before}`).focus();
  }

  toggle(name) {
    const isOpen = this.#shown === name;
    if (wide.matches) {
      remember(SIDE_PANEL, isOpen ? "none" : name);
      return this.show(null);
    }
    if (isOpen) return leave({}, this.onPlace);
    go({ panel: name }, { replaces: Boolean(place().panel) });
    return this.onPlace();
  }

  /** On a phone one goes back to the chat, where the goods are. */
  afterPaying() {
    if (!wide.matches && this.#shown === "bank") leave({}, this.onPlace);
  }

  escape(event) {
    const isTaken = event.defaultPrevented || document.querySelector("dialog[open]");
    if (!this.isCalm && !isTaken) this.toggle(this.#shown);
  }
}

function sidePanel() {
  const chosen = recall(SIDE_PANEL) ?? "bank";
  return NAMES.includes(chosen) ? chosen : null;
}
