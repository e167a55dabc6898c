/** The bot's commands: offered while one types a slash, and all of them behind Menu. */
import * as api from "./api.js";
import { attempt, toast } from "./dialogs.js";
import { byId, h } from "./dom.js";

export class Commands {
  #known = [];
  #chat = null;
  #at = -1;

  constructor(box, { onChosen }) {
    Object.assign(this, { box, onChosen });
    this.list = byId("suggestions");
    byId("commands").addEventListener("click", () => this.#toggle());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (event) => this.#choose(event.target.closest("li")));
    document.addEventListener("click", (event) => event.target.closest("#suggestions, #commands, #message") || this.close());
  }

  async load(chat, me) {
    [this.#chat, this.#known] = [chat, []];
    byId("commands").hidden = chat.kind !== "private";
    const found = await attempt(() => api.commands(chat.id, me?.language_code ?? ""));
    if (chat === this.#chat) this.#known = found?.commands ?? [];
  }

  suggestFor(text) {
    const typed = /^\/(\w*)$/.exec(text);
    this.#show(typed ? this.#known.filter((each) => each.command.startsWith(typed[1].toLowerCase())) : []);
  }

  close() {
    this.#show([]);
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Returns whether the key was meant for the list. */
  handleKey(event) {
    if (!this.isOpen) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#walk(step);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.#at >= 0) this.#choose(this.list.children[this.#at]);
    else return false;
    event.preventDefault();
    return true;
  }

  #show(commands) {
    this.#at = -1;
    this.list.replaceChildren(...commands.map(suggestion));
    this.list.hidden = commands.length === 0;
    this.box.removeAttribute("aria-activedescendant");
    byId("commands").setAttribute("aria-expanded", String(this.isOpen));
  }

  #walk(step) {
    const items = [...this.list.children];
    this.#at = this.#at < 0 && step < 0 ? items.length - 1 : (this.#at + step + items.length) % items.length;
    items.forEach((item, index) => item.setAttribute("aria-selected", String(index === this.#at)));
    items[this.#at].scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", items[this.#at].id);
  }

  #toggle() {
    if (this.isOpen) return this.close();
    if (!this.#known.length) return toast("The bot has published no commands yet");
    this.#show(this.#known);
    return this.box.focus();
  }

  #choose(item) {
    if (!item) return;
    this.close();
    this.onChosen(item.dataset.command);
  }
}

const suggestion = (each, at) =>
  h(
    "li",
    { role: "option", id: `command-${at}`, "aria-selected": "false", dataset: { command: each.command } },
    h("strong", {}, `/${each.command}`),
    h("span", {}, each.description),
  );
