/** The menu of a chat. */
import * as api from "./api.js";
import { attempt } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { phone } from "./panels.js";

export class ChatMenu {
  constructor({ chat, onInspector, onStartOver }) {
    Object.assign(this, { chat, onInspector, onStartOver });
    this.box = byId("chat-menu");
    byId("open-menu").addEventListener("click", () => (this.box.hidden ? this.#open() : this.close()));
    document.addEventListener("click", (event) => event.target.closest("#chat-menu, #open-menu") || this.#hide());
  }

  #open() {
    this.box.replaceChildren(...this.#entries().map(([label, act]) => this.#entry(label, act)));
    this.box.hidden = false;
    byId("open-menu").setAttribute("aria-expanded", "true");
    this.box.querySelector("button").focus();
  }

  #entries() {
    const chat = this.chat();
    const entries = [["Start over: forget all chats and bank payments", this.onStartOver]];
    if (phone.matches) entries.unshift(["Inspector: Bot API calls and faults", this.onInspector]);
    if (chat?.kind === "private" && !chat.blocked) entries.unshift(["Stop and block the bot", () => attempt(() => api.setBlocked(chat.id, true))]);
    return entries;
  }

  #entry(label, act) {
    const choose = () => {
      this.close();
      act();
    };
    return h("button", { type: "button", onclick: choose }, label);
  }

  #hide() {
    this.box.hidden = true;
    byId("open-menu").setAttribute("aria-expanded", "false");
  }

  /** Returns whether it was open. */
  close() {
    if (this.box.hidden) return false;
    this.#hide();
    byId("open-menu").focus();
    return true;
  }
}
