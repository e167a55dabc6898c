/** The messenger: which chat is open, which panel, and what changes bring anew. */
import { Actions } from "./actions.js";
import * as api from "./api.js";
import { Bank } from "./bank.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { attempt, toast } from "./dialogs.js";
import { byId } from "./dom.js";
import { showHeader, showIntro, showTyping, stopTyping } from "./header.js";
import { Inbox, newPerson } from "./inbox.js";
import { Inspector } from "./inspector.js";
import { listen } from "./live.js";
import { ChatMenu } from "./menu.js";
import { Panels, phone } from "./panels.js";
import { go, leave, place } from "./place.js";
import { recall, remember } from "./storage.js";

const LAST_CHAT = "quickcart-last-chat";
const HIDDEN_MS = 30_000;

const inbox = new Inbox({ onOpen: (chatId) => visit({ chat: chatId }) });
const composer = new Composer({ onSent: () => conversation.refresh() });
const conversation = new Conversation({
  onKeyboard: (row) => composer.setKeyboard(row),
  onSeen: (chatId, messageId) => inbox.markSeen(chatId, messageId),
  onChanged: showState,
  onBotMessage: () => stopTyping(),
});
const actions = new Actions(conversation, {
  onReply: (row) => row && composer.replyTo(row),
  onCommand: (text) => composer.say(text),
  onQuery: (query) => composer.write(`@${inbox.bot.username} ${query}`),
});
const bank = new Bank({ onWaiting: showWaiting, onPaid: () => panels.afterPaying() });
const inspector = new Inspector({ nameOf: (chatId) => inbox.nameOf(chatId) });
const panels = new Panels({ onInspector: (isOpen) => inspector.setOpen(isOpen), onPlace: arrive });
const menu = new ChatMenu({
  chat: () => inbox.find(conversation.chat?.id),
  onInspector: () => panels.toggle("inspector"),
  onStartOver: startOver,
});
let inboxTimer = null;

// --- Which chat ---

function visit(to) {
  if (to.chat === place().chat && !place().panel) return undefined;
  go(to);
  return arrive();
}

async function arrive() {
  const { chat, panel } = place();
  document.body.dataset.view = chat ? "chat" : "chats";
  panels.show(panel);
  const found = chat && (await whoIs(chat));
  if (chat !== place().chat) return; // somebody went on meanwhile
  if (!found) closeChat();
  else if (conversation.chat?.id !== chat) await openChat(found);
}

/** A chat that the list has no room for is asked for by its number. */
async function whoIs(chatId) {
  if (!inbox.find(chatId)) {
    inbox.openId = chatId;
    await attempt(() => inbox.load());
  }
  return inbox.find(chatId);
}

async function openChat(chat) {
  const me = inbox.actorOf(chat);
  inbox.openId = chat.id;
  remember(LAST_CHAT, chat.id);
  byId("welcome").hidden = true;
  const main = byId("conversation");
  main.hidden = false;
  main.dataset.chat = chat.id;
  showHeader(chat, me, inbox.bot);
  composer.open(chat, me);
  const isOpened = conversation.open(chat, me);
  inbox.show();
  await isOpened;
  if (phone.matches || conversation.chat !== chat || !panels.isCalm) return;
  const target = byId("start").hidden ? byId("message") : byId("start");
  if (!byId("chat-list").contains(document.activeElement)) target.focus({ preventScroll: true });
}

function closeChat() {
  inbox.openId = null;
  conversation.leave();
  byId("conversation").hidden = true;
  byId("welcome").hidden = false;
  delete byId("conversation").dataset.chat;
  inbox.show();
}

/** What the chat needs when it is empty, or the bot is blocked. */
function showState() {
  const { chat, isEmpty } = conversation;
  if (!chat) return;
  const isBlocked = inbox.find(chat.id)?.blocked ?? false;
  composer.showState({ mustStart: chat.kind === "private" && (isEmpty || isBlocked), isBlocked });
  showIntro(isEmpty ? chat : null, inbox.bot);
}

function showWaiting(count) {
  byId("bank-badge").hidden = count === 0;
  byId("bank-badge").textContent = String(count);
  byId("open-bank").setAttribute("aria-description", count ? `${count} to pay` : "");
  byId("open-bank").classList.toggle("calling", count > 0);
}

async function newCustomer(event) {
  const button = event.currentTarget;
  button.disabled = true;
  const person = await attempt(() => api.createUser(newPerson(inbox.chats)));
  if (person && (await attempt(async () => (await inbox.load(), true)))) await visit({ chat: person.id });
  button.disabled = false;
}

async function startOver() {
  if (!window.confirm("Forget all chats and bank payments of the sandbox? The shop keeps its orders.")) return;
  if (await attempt(() => api.reset())) await beginAnew();
}

/** The stand-ins have forgotten everything: so does this page. */
async function beginAnew() {
  conversation.leave();
  inspector.forget();
  await refreshAll();
  if (!inbox.find(place().chat) && !phone.matches && inbox.chats.length) go({ chat: inbox.chats[0].id }, { replaces: true });
  await arrive();
}

// --- Live ---

function changed(tokens) {
  if (tokens.has("reset")) return void beginAnew();
  const open = conversation.chat?.id;
  for (const token of tokens) {
    const [kind, id, detail] = token.split(":");
    if (kind === "chat" && Number(id) === open) conversation.refresh();
    else if (kind === "callback") actions.answered(id);
    else if (kind === "typing" && Number(id) === open) showTyping(detail);
    else if (kind === "payments") bank.load();
    else if (kind === "calls") inspector.refresh();
    if (kind === "chat" || kind === "chats") refreshInboxSoon();
  }
  return undefined;
}

function refreshInboxSoon() {
  inboxTimer ??= setTimeout(async () => {
    inboxTimer = null;
    await attempt(() => inbox.load());
    showState();
  }, 120);
}

/** Everything that may have changed unheard; resolves to whether the shop answered. */
async function refreshAll() {
  const isThere = await attempt(async () => (await inbox.load(), true));
  if (!isThere) return false;
  actions.bot = inbox.bot;
  inspector.refresh();
  await Promise.all([bank.load(), conversation.refresh()]);
  return true;
}

function wire() {
  byId("new-customer").addEventListener("click", newCustomer);
  byId("back").addEventListener("click", () => leave({ chat: null }, arrive));
  byId("open-bank").addEventListener("click", () => panels.toggle("bank"));
  byId("open-inspector").addEventListener("click", () => panels.toggle("inspector"));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    (byId("start").hidden ? byId("message") : byId("start")).focus();
  });
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]")?.dataset.close;
    if (close) panels.toggle(close);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !menu.close()) panels.escape(event);
  });
  window.addEventListener("popstate", arrive);
  setInterval(() => document.hidden && inbox.load().catch(() => undefined), HIDDEN_MS); // for the title's number
}

async function begin() {
  wire();
  await attempt(() => inbox.load());
  actions.bot = inbox.bot;
  if (!place().chat && !phone.matches && inbox.chats.length) {
    const last = inbox.find(Number(recall(LAST_CHAT))) ?? inbox.chats[0];
    go({ chat: last.id }, { replaces: true });
  }
  await arrive();
  await bank.load();
  listen({
    onChanges: changed,
    onReconnect: refreshAll,
    onState: (isLive) => document.body.classList.toggle("offline", !isLive),
  });
}

begin().catch((error) => toast(error.message));
