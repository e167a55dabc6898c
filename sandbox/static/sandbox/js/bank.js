/** The pretend bank on the phone at the right: pays QRIS codes, well or badly. */
import * as api from "./api.js";
import { attempt } from "./dialogs.js";
import { byId, h, icon, showRows } from "./dom.js";
import { exactTime, rupiah, wallClock } from "./format.js";
import { coalesced } from "./once.js";
import { recall, remember } from "./storage.js";

const PATIENT = "quickcart-pay-late";
const LATE_MS = 1_500;
const RECEIPT_MS = 4_000;
const SHOWN_PAID = 8;
const NEWEST = 60;

export class Bank {
  #transactions = [];
  #patient = new Set(JSON.parse(recall(PATIENT) ?? "[]"));
  #errors = new Map();
  #busy = new Set();
  #hiding = null;

  constructor({ onWaiting, onPaid }) {
    Object.assign(this, { onWaiting, onPaid });
    this.screen = byId("bank-screen");
    this.lists = Object.fromEntries(["pending", "canceled", "completed"].map((status) => [status, h("ul", { class: status })]));
    this.screen.replaceChildren(
      section("To pay", this.lists.pending),
      h("p", { class: "empty" }, icon("qr"), "No QR code is waiting. Choose QRIS in a chat: its code appears here by itself."),
      section("Old QR codes", this.lists.canceled, "Their invoices have ended. A customer who kept the picture can still pay it."),
      section("Paid", this.lists.completed),
    );
    this.screen.addEventListener("click", (event) => this.#click(event.target.closest("button[data-do]")));
    this.#tick();
  }

  load = coalesced(() => this.#fetch());

  async #fetch() {
    const found = await attempt(() => api.transactions(NEWEST));
    if (!found) return;
    this.#transactions = found.transactions.reverse();
    this.#show();
    this.#payWhatIsLate();
  }

  #show() {
    const now = Date.now();
    const payable = (each) => each.status !== "canceled" || !each.expired_at || Date.parse(each.expired_at) > now;
    for (const [status, list] of Object.entries(this.lists)) {
      let rows = this.#transactions.filter((each) => each.status === status && payable(each));
      if (status === "completed") rows = rows.slice(0, SHOWN_PAID);
      showRows(list, rows.map((each) => this.#row(each)));
      list.closest("section").hidden = rows.length === 0;
    }
    const waiting = this.lists.pending.children.length;
    this.screen.querySelector(".empty").hidden = waiting > 0;
    this.onWaiting(waiting);
  }

  #row(transaction) {
    const { txn_id: id, status } = transaction;
    const isPatient = this.#patient.has(id);
    const error = this.#errors.get(id) ?? "";
    const isBusy = this.#busy.has(id);
    return { key: id, stamp: JSON.stringify([status, isPatient, error, isBusy]), make: () => card(transaction, { isPatient, error, isBusy }) };
  }

  #click(button) {
    if (!button) return;
    const id = button.closest("li").dataset.txn;
    if (button.dataset.do === "wait") this.#setPatient(id, true);
    else if (button.dataset.do === "stop") this.#setPatient(id, false);
    else this.#pay(id, button.dataset.do);
  }

  #setPatient(id, isPatient) {
    if (isPatient) this.#patient.add(id);
    else this.#patient.delete(id);
    remember(PATIENT, JSON.stringify([...this.#patient]));
    this.#show();
  }

  /** What was to be paid late, once its invoice has ended. */
  #payWhatIsLate() {
    for (const { txn_id: id, status } of this.#transactions) {
      if (!this.#patient.has(id) || status === "pending") continue;
      this.#setPatient(id, false);
      if (status === "canceled") setTimeout(() => this.#pay(id, "send"), LATE_MS);
    }
  }

  async #pay(id, webhook) {
    if (this.#busy.has(id)) return;
    this.#busy.add(id);
    this.#errors.delete(id);
    this.#show();
    try {
      const paid = await api.pay(id, webhook);
      this.#receipt(this.#transactions.find((each) => each.txn_id === id), webhook, paid.webhook_statuses);
    } catch (error) {
      this.#errors.set(id, error.message);
    }
    this.#busy.delete(id);
    await this.load();
  }

  #receipt(transaction, webhook, statuses) {
    const receipt = byId("receipt");
    const hadFocus = this.screen.contains(document.activeElement) || document.activeElement === document.body;
    const close = () => {
      const focused = receipt.contains(document.activeElement);
      receipt.hidden = true;
      if (focused) this.screen.focus({ preventScroll: true });
    };
    const done = () => {
      clearTimeout(this.#hiding);
      close();
      this.onPaid();
    };
    receipt.replaceChildren(
      h("span", { class: "tick" }, icon("check")),
      h("strong", {}, rupiah(transaction?.total_payment ?? 0)),
      h("p", {}, "Paid with pretend money"),
      h("small", {}, told(webhook, statuses)),
      h("button", { type: "button", onclick: done }, "Done"),
    );
    receipt.hidden = false;
    if (hadFocus) receipt.querySelector("button").focus();
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(done, RECEIPT_MS);
  }

  #tick() {
    document.querySelector(".bank .clock").textContent = wallClock();
    setTimeout(() => this.#tick(), 10_000);
  }
}

function section(title, list, note) {
  return h("section", { hidden: true }, h("h3", {}, title), note ? h("p", { class: "note" }, note) : null, list);
}

function told(webhook, statuses) {
  if (webhook === "drop") return "The shop was not told: its webhook got lost. It will ask by itself.";
  if (!statuses.length) return "It had been paid before: nobody was told again.";
  const answers = statuses.map((status) => status || "no answer").join(" and ");
  return `The shop's webhook was called ${statuses.length === 1 ? "once" : `${statuses.length} times`} and answered ${answers}.`;
}

function card(transaction, { isPatient, error, isBusy }) {
  const { txn_id: id, status } = transaction;
  return h(
    "li",
    { dataset: { txn: id, status }, "aria-busy": isBusy ? "true" : null },
    h(
      "div",
      { class: "head" },
      h("span", { class: "mark" }, icon(status === "completed" ? "check" : "qr")),
      h("span", {}, h("strong", {}, transaction.merchant ?? "QRIS"), h("small", {}, transaction.order_id)),
      h("span", { class: "sum" }, h("strong", {}, rupiah(transaction.total_payment)), h("small", {}, when(transaction))),
    ),
    status === "pending" ? payButtons(isPatient, isBusy) : null,
    status === "canceled" ? h("div", { class: "buttons" }, action("send", "Pay an old QR too", isBusy)) : null,
    error ? h("p", { class: "error", role: "alert" }, error) : null,
  );
}

function when({ status, fee, created_at: created, completed_at: completed }) {
  if (status === "completed" && completed) return exactTime(completed);
  return status === "pending" ? `incl. fee ${rupiah(fee)}` : exactTime(created);
}

function payButtons(isPatient, isBusy) {
  if (isPatient) {
    const explanation = "Pays itself once the invoice has ended: wait for its expiry, or press Batalkan / Cancel in the chat.";
    return h("div", {}, h("p", { class: "note" }, explanation), h("div", { class: "buttons" }, action("send", "Pay", isBusy, true), action("stop", "Do not wait")));
  }
  return h(
    "div",
    { class: "buttons" },
    action("send", "Pay", isBusy, true),
    action("wait", "Pay late", isBusy),
    action("duplicate", "Webhook twice", isBusy),
    action("drop", "Lose the webhook", isBusy),
  );
}

const action = (what, label, isBusy, isMain) =>
  h("button", { type: "button", class: isMain ? "main" : "", dataset: { do: what, place: what }, disabled: isBusy }, label);
