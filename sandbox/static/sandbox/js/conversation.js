/** The open chat: its messages in order, changed in place, and what one does to them. */
import * as api from "./api.js";
import { alertBox, attempt, copy, toast } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { dayName } from "./format.js";
import { renderMessage } from "./message.js";

const NEWEST = 150;
const NEAR_BOTTOM = 140;
const SAME_BREATH_SECONDS = 600;
const ANSWER_CHECKS = 20;

export class Conversation {
  chat = null;
  me = null;
  rows = new Map();
  #event = 0;
  #missed = 0;
  #isStuck = true;
  #loading = Promise.resolve();
  #pressed = new Map();

  constructor({ onKeyboard, onReply, onSeen, onChanged, onCommand, onQuery }) {
    Object.assign(this, { onKeyboard, onReply, onSeen, onChanged, onCommand, onQuery });
    this.log = byId("log");
    this.scroller = byId("scroller");
    this.log.addEventListener("click", (event) => this.#click(event));
    this.log.addEventListener("dblclick", (event) => event.target.closest("button, a, [data-copy]") || this.#reply(event));
    this.log.addEventListener("keydown", (event) => this.#key(event));
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("down").addEventListener("click", () => this.toBottom({ smooth: true }));
    byId("earlier").addEventListener("click", () => this.#showEarlier());
    new ResizeObserver(() => this.#isStuck && this.toBottom()).observe(this.scroller);
    new ResizeObserver(() => this.#isStuck && this.toBottom()).observe(this.log);
  }

  /** Shows another chat; `me` is who acts in it. */
  async open(chat, me) {
    Object.assign(this, { chat, me, rows: new Map() });
    this.#event = 0;
    this.#pressed.clear();
    this.log.replaceChildren();
    this.#isStuck = true;
    this.#setMissed(0);
    byId("earlier").hidden = true;
    await this.refresh();
    byId("earlier").hidden = this.rows.size < NEWEST;
    this.toBottom();
  }

  /** Fetches what changed; one request at a time, so that changes are applied in order. */
  refresh() {
    this.#loading = this.#loading.then(() => this.#fetch(this.chat)).catch((error) => toast(error.message));
    return this.#loading;
  }

  async #fetch(chat) {
    if (!chat) return;
    const isFirst = this.#event === 0;
    const found = await api.messages(chat.id, this.#event, isFirst ? NEWEST : 0);
    if (chat !== this.chat) return;
    this.#event = Math.max(found.event, this.#event);
    this.#apply(found.messages, { isFirst });
  }

  #apply(changed, { isFirst }) {
    const stuck = this.#isStuck;
    let arrived = 0;
    for (const row of changed) {
      if (row.deleted) this.#remove(row.message_id);
      else arrived += this.#put(row) && row.from_bot ? 1 : 0;
    }
    if (!changed.length && !isFirst) return;
    this.#tidy();
    this.onKeyboard(this.#keyboard());
    const isMine = changed.some((row) => !row.from_bot && row.from_id === this.me?.id);
    if (stuck || isMine) this.toBottom();
    else if (!isFirst) this.#setMissed(this.#missed + arrived);
    if (this.#isStuck) this.#seen();
  }

  /** Returns whether the message is new here. */
  #put(row) {
    const known = this.log.querySelector(`article[data-id="${row.message_id}"]`);
    this.rows.set(row.message_id, row);
    const article = renderMessage(row, { me: this.me?.id, isGroup: this.chat.kind !== "private", known });
    if (!known) this.#insert(article, row.message_id);
    return !known;
  }

  #insert(article, messageId) {
    const articles = [...this.log.querySelectorAll("article")];
    const next = articles.find((each) => Number(each.dataset.id) > messageId);
    this.log.insertBefore(article, next ?? null);
  }

  #remove(messageId) {
    this.rows.delete(messageId);
    const article = this.log.querySelector(`article[data-id="${messageId}"]`);
    if (article?.contains(document.activeElement)) this.log.focus({ preventScroll: true });
    article?.remove();
  }

  /** Days between messages; which bubbles belong together. */
  #tidy() {
    this.log.querySelectorAll(".day").forEach((each) => each.remove());
    let before = null;
    for (const article of this.log.querySelectorAll("article")) {
      const name = dayName(Number(article.dataset.date));
      const isNewDay = !before || dayName(Number(before.dataset.date)) !== name;
      if (isNewDay) this.log.insertBefore(h("p", { class: "day" }, h("span", {}, name)), article);
      const follows = !isNewDay && belongTogether(before, article);
      article.classList.toggle("follows", follows);
      before?.classList.toggle("last", !follows);
      before = article;
    }
    before?.classList.add("last");
    this.onChanged();
  }

  /** The reply keyboard in force: that of the newest message that brings or removes one. */
  #keyboard() {
    const newest = [...this.rows.values()].sort((a, b) => b.message_id - a.message_id);
    const markup = newest.find((row) => row.reply_markup?.keyboard || row.reply_markup?.remove_keyboard)?.reply_markup;
    return markup?.keyboard ? markup : null;
  }

  get isEmpty() {
    return this.rows.size === 0;
  }

  toBottom({ smooth = false } = {}) {
    this.#isStuck = true;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
    this.#setMissed(0);
    this.#seen();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#isStuck = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM;
    byId("down").hidden = this.#isStuck;
    if (!this.#isStuck) return;
    this.#setMissed(0);
    this.#seen();
  }

  #setMissed(count) {
    this.#missed = count;
    byId("down").hidden = this.#isStuck;
    byId("down-badge").hidden = count === 0;
    byId("down-badge").textContent = String(count);
  }

  #seen() {
    if (this.chat && !document.hidden && this.rows.size) this.onSeen(this.chat.id, Math.max(...this.rows.keys()));
  }

  async #showEarlier() {
    byId("earlier").hidden = true;
    const height = this.scroller.scrollHeight;
    const found = await attempt(() => api.messages(this.chat.id, 0));
    if (!found) return;
    this.#isStuck = false;
    this.#apply(found.messages, { isFirst: true });
    this.scroller.scrollTop += this.scroller.scrollHeight - height;
  }

  // --- What one does to a message ---

  #click(event) {
    const target = event.target.closest("[data-data], [data-query], [data-copy], [data-to], [data-reply], .bot-command, .spoiler, a[href]");
    if (!target) return;
    if (target.dataset.data !== undefined) this.#press(target);
    else if (target.dataset.query !== undefined) this.onQuery(target.dataset.query);
    else if (target.dataset.copy !== undefined) copy(target.textContent);
    else if (target.dataset.to) this.#jump(target.dataset.to);
    else if (target.dataset.reply !== undefined) this.#reply(event);
    else if (target.matches(".bot-command")) this.onCommand(target.textContent);
    else if (target.matches(".spoiler")) target.classList.toggle("shown");
    else this.#follow(event, target);
  }

  #key(event) {
    if (!["Enter", " "].includes(event.key) || !event.target.matches("[data-copy]")) return;
    event.preventDefault();
    copy(event.target.textContent);
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

  #reply(event) {
    const article = event.target.closest("article");
    if (!article) return;
    window.getSelection()?.removeAllRanges();
    this.onReply(this.rows.get(Number(article.dataset.id)));
  }

  #jump(messageId) {
    const article = this.log.querySelector(`article[data-id="${messageId}"]`);
    if (!article) return toast("That message is gone");
    article.scrollIntoView({ block: "center", behavior: "smooth" });
    article.classList.remove("flash");
    void article.offsetWidth; // starts the animation anew
    return article.classList.add("flash");
  }

  async #press(button) {
    if (!this.me) return toast("Nobody of this group is here to press it");
    const messageId = Number(button.closest("article").dataset.id);
    button.setAttribute("aria-busy", "true");
    const free = () => button.removeAttribute("aria-busy");
    const pressed = await attempt(() => api.press(this.chat.id, messageId, this.me.id, button.dataset.data));
    if (!pressed) return free();
    const id = pressed.callback_query_id;
    this.#pressed.set(id, { free, checks: 0 });
    return setTimeout(() => this.#checkAgain(id), 1_000);
  }

  /** Should the word of the answer be lost on the way, the answer is found all the same. */
  async #checkAgain(id) {
    const waiting = this.#pressed.get(id);
    if (!waiting) return;
    await this.answered(id);
    if (!this.#pressed.has(id)) return;
    waiting.checks += 1;
    if (waiting.checks < ANSWER_CHECKS) return void setTimeout(() => this.#checkAgain(id), 1_000);
    this.#pressed.delete(id);
    waiting.free();
    toast("The bot did not answer this button");
  }

  /** The bot answered a callback query: perhaps one of ours. */
  async answered(id) {
    const waiting = this.#pressed.get(id);
    if (!waiting) return;
    const answer = await api.callback(id).catch(() => ({ answered: false }));
    if (!answer.answered || !this.#pressed.delete(id)) return;
    waiting.free();
    if (!answer.text) return;
    if (answer.show_alert) alertBox(answer.text);
    else toast(answer.text);
  }
}

function belongTogether(before, article) {
  const isSameSender = before.dataset.sender === article.dataset.sender;
  return isSameSender && Number(article.dataset.date) - Number(before.dataset.date) < SAME_BREATH_SECONDS;
}
