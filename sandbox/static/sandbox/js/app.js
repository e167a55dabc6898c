/** The messenger: which chat is open, which panel, and what changes bring anew. */
import * as api from "./api.js";
import { Bank } from "./bank.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { attempt, toast } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { Inbox, avatar, newPerson } from "./inbox.js";
import { Inspector } from "./inspector.js";
import { listen } from "./live.js";

const LAST_CHAT = "quickcart-last-chat";
const SIDE_PANEL = "quickcart-panel";
const PANELS = ["bank", "inspector"];
const TYPING_MS = 5_000;
const wide = matchMedia("(min-width: 1180px)");
const phone = matchMedia("(max-width: 759px)");

const inbox = new Inbox({ onOpen: (chatId) => go({ chat: chatId }) });
const composer = new Composer({ onSent: () => conversation.refresh() });
const conversation = new Conversation({
  onKeyboard: (markup) => composer.setKeyboard(markup),
  onReply: (row) => row && composer.replyTo(row),
  onSeen: (chatId, messageId) => inbox.markSeen(chatId, messageId),
  onChanged: () => showState(),
  onCommand: (text) => composer.say(text),
  onQuery: (query) => composer.write(`@${inbox.bot.username} ${query}`),
});
const bank = new Bank({ onWaiting: showWaiting });
const inspector = new Inspector({ nameOf: (chatId) => inbox.nameOf(chatId) });
let typingEnds = null;
let inboxTimer = null;

// --- Where one is: the address holds the chat, so that "back" works on a phone ---

function place() {
  const parts = new URLSearchParams(location.hash.slice(1));
  return { chat: Number(parts.get("chat")) || null, panel: parts.get("panel") };
}

function go({ chat = place().chat, panel = null }, { replaces = false } = {}) {
  const parts = new URLSearchParams();
  if (chat) parts.set("chat", chat);
  if (panel) parts.set("panel", panel);
  const address = `${location.pathname}${parts.size ? `#${parts}` : ""}`;
  history[replaces ? "replaceState" : "pushState"]({ isOurs: !replaces }, "", address);
  return arrive();
}

/** Back to where one came from; a page that was opened right here has nothing before it. */
function leave(to) {
  if (history.state?.isOurs) history.back();
  else go(to, { replaces: true });
}

async function arrive() {
  const { chat, panel } = place();
  showPanel(panel);
  document.body.dataset.view = chat ? "chat" : "chats";
  const found = chat && inbox.find(chat);
  if (found && conversation.chat?.id !== chat) await openChat(found);
  else if (!found) closeChat();
}

async function openChat(chat) {
  const me = inbox.actorOf(chat);
  inbox.openId = chat.id;
  localStorage.setItem(LAST_CHAT, String(chat.id));
  byId("welcome").hidden = true;
  const main = byId("conversation");
  main.hidden = false;
  main.dataset.chat = chat.id;
  showHeader(chat, me);
  composer.open(chat, me);
  composer.setKeyboard(null);
  await conversation.open(chat, me);
  inbox.show();
  showState();
  if (!phone.matches && byId("start").hidden) byId("message").focus({ preventScroll: true });
}

function closeChat() {
  inbox.openId = null;
  conversation.chat = null;
  byId("conversation").hidden = true;
  byId("welcome").hidden = false;
  delete byId("conversation").dataset.chat;
  inbox.show();
}

function showHeader(chat, me) {
  const isPrivate = chat.kind === "private";
  byId("peer-name").textContent = isPrivate ? inbox.bot.name : chat.title;
  byId("peer-status").textContent = isPrivate ? "bot" : `group, ${chat.member_ids.length + 1} members`;
  const picture = isPrivate ? h("img", { src: "/static/sandbox/brand/avatar.svg", alt: "", width: 42, height: 42 }) : avatar(chat);
  byId("peer-avatar").replaceChildren(picture);
  byId("me").replaceChildren(...(me ? [avatar(me), h("span", {}, h("small", {}, "you are "), me.first_name)] : []));
}

/** What the chat needs when it is empty, or the bot is blocked. */
function showState() {
  const chat = conversation.chat;
  if (!chat) return;
  const isBlocked = inbox.find(chat.id)?.blocked ?? false;
  composer.showState({ isEmpty: conversation.isEmpty, isBlocked });
  const intro = byId("intro");
  intro.hidden = !conversation.isEmpty;
  if (intro.hidden || intro.dataset.chat === String(chat.id)) return;
  intro.dataset.chat = chat.id;
  const words = chat.kind === "private" ? `Press Start and shop as ${chat.title}: choose a product, pay with QRIS, and the goods arrive here.` : "Here the staff hear of every sale. It stays quiet until somebody buys.";
  intro.replaceChildren(h("img", { src: "/static/sandbox/brand/avatar.svg", alt: "", width: 88, height: 88 }), h("strong", {}, chat.kind === "private" ? `This is ${inbox.bot.name}` : chat.title), h("p", {}, words));
}

// --- Panels ---

/** On a wide screen a panel stands beside the chat and stays; elsewhere it is a page of its own. */
function showPanel(panel) {
  const shown = wide.matches ? sidePanel() : panel;
  for (const name of PANELS) {
    byId(name).hidden = shown !== name;
    byId(`open-${name}`).setAttribute("aria-expanded", String(shown === name));
  }
  document.body.classList.toggle("with-panel", shown !== null);
  inspector.setOpen(shown === "inspector");
}

function sidePanel() {
  const chosen = localStorage.getItem(SIDE_PANEL) ?? "bank";
  return PANELS.includes(chosen) ? chosen : null;
}

function togglePanel(name) {
  const isOpen = !byId(name).hidden;
  if (wide.matches) {
    localStorage.setItem(SIDE_PANEL, isOpen ? "none" : name);
    return showPanel(null);
  }
  return isOpen ? leave({}) : go({ panel: name }, { replaces: Boolean(place().panel) });
}

function showWaiting(count) {
  byId("bank-badge").hidden = count === 0;
  byId("bank-badge").textContent = String(count);
  byId("open-bank").classList.toggle("calling", count > 0);
}

// --- The menu of the chat ---

function toggleMenu(isOpen) {
  const menu = byId("chat-menu");
  menu.hidden = !isOpen;
  byId("open-menu").setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) return;
  const chat = inbox.find(conversation.chat?.id);
  const items = [["Start over: forget all chats and payments of the stand-ins", startOver]];
  if (phone.matches) items.unshift(["Inspector: Bot API calls and faults", () => togglePanel("inspector")]);
  if (chat?.kind === "private" && !chat.blocked) items.unshift(["Stop and block the bot", () => attempt(() => api.setBlocked(chat.id, true))]);
  menu.replaceChildren(...items.map(([label, act]) => h("button", { type: "button", role: "menuitem", onclick: () => { toggleMenu(false); act(); } }, label)));
  menu.querySelector("button").focus();
}

async function startOver() {
  if (!window.confirm("Forget all chats and payments of the sandbox? The shop keeps its orders.")) return;
  if (!(await attempt(() => api.reset()))) return;
  conversation.chat = null;
  await refreshAll();
}

// --- Live ---

function changed(tokens) {
  const open = conversation.chat?.id;
  for (const token of tokens) {
    const [kind, id, detail] = token.split(":");
    if (kind === "chat" && Number(id) === open) conversation.refresh();
    else if (kind === "callback") conversation.answered(id);
    else if (kind === "typing" && Number(id) === open) showTyping(detail);
    else if (kind === "payments") bank.load();
    else if (kind === "calls") inspector.refresh();
    if (kind === "chat" || kind === "chats") refreshInboxSoon();
  }
}

function refreshInboxSoon() {
  inboxTimer ??= setTimeout(async () => {
    inboxTimer = null;
    await attempt(() => inbox.load());
    showState();
  }, 120);
}

function showTyping(action) {
  const words = action?.startsWith("upload") ? "sending a file…" : "typing…";
  byId("peer-status").textContent = words;
  byId("peer-status").classList.add("typing");
  clearTimeout(typingEnds);
  typingEnds = setTimeout(() => {
    byId("peer-status").classList.remove("typing");
    if (conversation.chat) showHeader(conversation.chat, conversation.me);
  }, TYPING_MS);
}

async function refreshAll() {
  await attempt(() => inbox.load());
  conversation.bot = inbox.bot;
  bank.load();
  inspector.refresh();
  if (conversation.chat) await conversation.refresh();
  else await arrive();
}

async function newCustomer() {
  const person = await attempt(() => api.createUser(newPerson(inbox.chats)));
  if (!person) return;
  await attempt(() => inbox.load());
  await go({ chat: person.id });
}

function wire() {
  byId("new-customer").addEventListener("click", newCustomer);
  byId("back").addEventListener("click", () => leaveChat());
  byId("open-bank").addEventListener("click", () => togglePanel("bank"));
  byId("open-inspector").addEventListener("click", () => togglePanel("inspector"));
  byId("open-menu").addEventListener("click", () => toggleMenu(byId("chat-menu").hidden));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#chat-menu, #open-menu")) toggleMenu(false);
    const close = event.target.closest("[data-close]")?.dataset.close;
    if (close === "bank-on-phone") return void (wide.matches || place().panel !== "bank" || leave({}));
    if (close) togglePanel(close);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && toggleMenu(false));
  window.addEventListener("popstate", arrive);
  wide.addEventListener("change", () => showPanel(place().panel));
}

function leaveChat() {
  if (history.state?.isOurs) return history.back();
  history.replaceState({}, "", location.pathname);
  return arrive();
}

async function begin() {
  wire();
  await attempt(() => inbox.load());
  conversation.bot = inbox.bot;
  if (!place().chat && !phone.matches && inbox.chats.length) {
    const last = inbox.find(Number(localStorage.getItem(LAST_CHAT))) ?? inbox.chats[0];
    await go({ chat: last.id }, { replaces: true });
  } else await arrive();
  await bank.load();
  listen({
    onChanges: changed,
    onReconnect: refreshAll,
    onState: (isLive) => document.body.classList.toggle("offline", !isLive),
  });
}

begin().catch((error) => toast(error.message));
