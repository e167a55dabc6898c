/** What one does to a message: press its buttons, copy, reply, follow a link. */
import * as api from "./api.js";
import { alertBox, attempt, copy, toast } from "./dialogs.js";

const ANSWER_CHECKS = 20;
const CHECK_MS = 1_000;
const ACTIVE = "[data-data], [data-query], [data-copy], [data-to], [data-reply], .bot-command, .spoiler, a[href]";

export class Actions {
  bot = null;
  #pressed = new Map();

  constructor(conversation, { onReply, onCommand, onQuery }) {
    Object.assign(this, { conversation, onReply, onCommand, onQuery });
    const { log } = conversation;
    log.addEventListener("click", (event) => this.#click(event));
    log.addEventListener("keydown", (event) => this.#key(event));
    log.addEventListener("dblclick", (event) => event.target.closest("button, a, [data-copy]") || this.#reply(event.target));
  }

  #click(event) {
    const target = event.target.closest(ACTIVE);
    if (!target) return;
    const { dataset } = target;
    if (dataset.data !== undefined) this.#press(target);
    else if (dataset.query !== undefined) this.onQuery(dataset.query);
    else if (dataset.copy !== undefined) copy(target.textContent);
    else if (dataset.to) this.conversation.jump(Number(dataset.to));
    else if (dataset.reply !== undefined) this.#reply(target);
    else if (target.matches(".bot-command")) this.onCommand(target.textContent);
    else if (target.matches(".spoiler")) target.classList.toggle("shown");
    else this.#follow(event, target);
  }

  #key(event) {
    if (!["Enter", " "].includes(event.key) || !event.target.matches("[data-copy], .bot-command, .spoiler")) return;
    event.preventDefault();
    event.target.click();
  }

  /** A link to the bot stays here: in Telegram it would open this chat, too. */
  #follow(event, link) {
    const address = new URL(link.href);
    const isOurs = address.hostname === "t.me" && address.pathname.slice(1).toLowerCase() === this.bot?.username.toLowerCase();
    if (!isOurs) return;
    event.preventDefault();
    const start = address.searchParams.get("start");
    if (start !== null) this.onCommand(`/start ${start}`.trim());
  }

  #reply(target) {
    const article = target.closest("article");
    if (!article) return;
    window.getSelection()?.removeAllRanges();
    this.onReply(this.conversation.rows.get(Number(article.dataset.id)));
  }

  async #press(button) {
    const { chat, me } = this.conversation;
    if (button.getAttribute("aria-busy")) return undefined;
    if (!me) return toast("Nobody of this group is here to press it");
    const messageId = Number(button.closest("article").dataset.id);
    button.setAttribute("aria-busy", "true");
    const free = () => button.removeAttribute("aria-busy");
    const pressed = await attempt(() => api.press(chat.id, messageId, me.id, button.dataset.data));
    if (!pressed) return free();
    const id = pressed.callback_query_id;
    this.#pressed.set(id, { free, checks: 0 });
    return setTimeout(() => this.#checkAgain(id), CHECK_MS);
  }

  /** Should the word of the answer be lost on the way, the answer is found all the same. */
  async #checkAgain(id) {
    const waiting = this.#pressed.get(id);
    if (!waiting) return;
    await this.answered(id);
    if (!this.#pressed.has(id)) return;
    waiting.checks += 1;
    if (waiting.checks < ANSWER_CHECKS) return void setTimeout(() => this.#checkAgain(id), CHECK_MS);
    this.#pressed.delete(id);
    waiting.free();
    toast("The bot did not answer this button");
  }

  /** The bot answered a callback query: perhaps one of ours. */
  async answered(id) {
    const waiting = this.#pressed.get(id);
    if (!waiting) return;
    const answer = await api.callback(id).catch(() => ({ answered: false })); // asked again soon
    if (!answer.answered || !this.#pressed.delete(id)) return;
    waiting.free();
    if (!answer.text) return;
    if (answer.show_alert) alertBox(answer.text);
    else toast(answer.text);
  }
}
