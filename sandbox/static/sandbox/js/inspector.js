/** The quiet panel for the curious: Bot API calls as they happen, faults on and off. */
import * as api from "./api.js";
import { attempt } from "./dialogs.js";
import { byId, h } from "./dom.js";
import { exactTime } from "./format.js";
import { coalesced } from "./once.js";

const KEPT_CALLS = 300;

const TELEGRAM = [
  ["Too many requests: the next 3 messages answer 429, retry after 3 s", { method: "sendMessage", error_code: 429, retry_after: 3, times: 3 }],
  ["The next message arrives, but its answer is lost", { method: "sendMessage", error_code: 502, times: 1, after_effect: true }],
  ["Telegram stumbles: the next message answers 500", { method: "sendMessage", error_code: 500, times: 1 }],
  ["Telegram is slow: the next 20 calls take 2 s", { delay_ms: 2000, times: 20 }],
  ["The next 2 pictures are refused", { method: "sendPhoto", error_code: 400, times: 2 }],
];
const GATEWAY = [
  ["Creating a payment times out after it worked, once", { call: "create", kind: "timeout_after_effect", times: 1 }],
  ["The gateway is down: the next 3 payments cannot be created", { call: "create", kind: "500", times: 3 }],
  ["The gateway answers HTML to the next 3 questions", { call: "status", kind: "html", times: 3 }],
  ["The gateway limits us (429) on the next 2 payments", { call: "create", kind: "429", times: 2 }],
  ["The next status names another amount", { call: "status", kind: "wrong_amount", times: 1 }],
  ["The next status says it was a sandbox payment", { call: "status", kind: "sandbox_flag", times: 1 }],
  ["Cancelling fails twice", { call: "cancel", kind: "500", times: 2 }],
];

export class Inspector {
  #last = 0;
  #isOpen = false;

  constructor({ nameOf }) {
    this.nameOf = nameOf;
    byId("show-polls").addEventListener("change", (event) => byId("call-list").classList.toggle("with-polls", event.target.checked));
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.#choose(tab));
    document.querySelector(".inspector .tabs").addEventListener("keydown", (event) => this.#walk(event));
    byId("faults").addEventListener("change", (event) => this.#switch(event.target));
  }

  get #tabs() {
    return [byId("tab-calls"), byId("tab-faults")];
  }

  setOpen(isOpen) {
    this.#isOpen = isOpen;
    if (isOpen) this.refresh();
  }

  /** Calls are made all the time: only what somebody looks at is fetched. */
  refresh() {
    if (this.#isOpen) this.#load();
  }

  #load = coalesced(() => attempt(() => (byId("calls").hidden ? this.#fetchFaults() : this.#fetchCalls())));

  /** The log of calls begins anew. */
  forget() {
    this.#last = 0;
    byId("call-list").replaceChildren();
    this.refresh();
  }

  async #fetchCalls() {
    const found = await api.calls(this.#last);
    this.#last = found.n;
    const list = byId("call-list");
    list.prepend(...found.calls.map((call) => this.#callRow(call)).reverse());
    while (list.children.length > KEPT_CALLS) list.lastElementChild.remove();
  }

  #callRow(call) {
    return h(
      "li",
      { class: [call.ok ? "ok" : "failed", call.method === "getUpdates" ? "poll" : ""].join(" ").trim() },
      h("time", {}, exactTime(call.at)),
      h("code", {}, call.method),
      h("span", { class: "to" }, call.chat_id ? this.nameOf(call.chat_id) : ""),
      h("span", { class: "result" }, call.ok ? "ok" : String(call.error_code ?? "cut off")),
    );
  }

  async #fetchFaults() {
    const [telegram, gateway, limits] = await Promise.all([api.telegramFaults(), api.gatewayFaults(), api.limits()]);
    const lists = [
      h("h3", {}, "Telegram"),
      ...TELEGRAM.map(([label, fault], at) => faultSwitch(`telegram:${at}`, label, matching(telegram.faults, fault))),
      toggle("limits", "Telegram's sending limits: 30 a second, 1 a second per chat, 20 a minute per group", limits.on),
      h("h3", {}, "Payment gateway"),
      ...GATEWAY.map(([label, fault], at) => faultSwitch(`gateway:${at}`, label, matching(gateway.faults, fault))),
    ];
    const stamp = JSON.stringify([telegram, gateway, limits]);
    const panel = byId("faults");
    if (panel.dataset.stamp === stamp) return;
    const focused = document.activeElement?.dataset?.fault;
    panel.replaceChildren(h("p", { class: "note" }, "Break something, then buy: the shop must cope. A switch goes off once its fault is used up."), ...lists);
    panel.dataset.stamp = stamp;
    if (focused) panel.querySelector(`[data-fault="${focused}"]`)?.focus();
  }

  async #switch(input) {
    const [kind, at] = (input.dataset.fault ?? "").split(":");
    if (!kind) return;
    await attempt(() => this.#apply(kind, Number(at), input));
    byId("faults").dataset.stamp = "";
    this.refresh();
  }

  #apply(kind, at, input) {
    if (kind === "limits") return api.setLimits(input.checked);
    const [order, cancel] = kind === "telegram" ? [api.orderTelegramFault, api.cancelTelegramFault] : [api.orderGatewayFault, api.cancelGatewayFault];
    if (!input.checked) return Promise.all(input.dataset.ids.split(",").map((id) => cancel(Number(id))));
    return order((kind === "telegram" ? TELEGRAM : GATEWAY)[at][1]);
  }

  #choose(chosen) {
    for (const tab of this.#tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !isChosen;
    }
    this.refresh();
  }

  #walk(event) {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = this.#tabs.find((tab) => tab !== document.activeElement);
    this.#choose(other);
    other.focus();
  }
}

/** The ordered faults of this kind that still wait. */
function matching(faults, fault) {
  const wanted = { error_code: null, retry_after: null, ...fault, method: fault.method ?? null };
  const names = Object.keys(wanted).filter((name) => name !== "times" && faults[0] && name in faults[0]);
  return faults.filter((each) => each.used < each.times && names.every((name) => each[name] === wanted[name]));
}

function faultSwitch(key, label, waiting) {
  const left = waiting.reduce((sum, each) => sum + each.times - each.used, 0);
  return toggle(key, label, waiting.length > 0, { ids: waiting.map((each) => each.id).join(","), left });
}

function toggle(key, label, isOn, { ids = "", left = 0 } = {}) {
  const input = h("input", { type: "checkbox", role: "switch", dataset: { fault: key, ids }, checked: isOn });
  return h("label", { class: "switch" }, input, h("span", {}, label, left ? h("small", {}, ` · ${left} to come`) : null));
}
