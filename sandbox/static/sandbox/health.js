// The start page's last line: is every part of the shop at work?

const link = document.getElementById("health");
const words = link.querySelector("[role=status]");

async function look() {
  try {
    const answer = await fetch(link.href, { cache: "no-store" });
    link.dataset.ready = answer.ok;
    words.textContent = answer.ok ? "Every part of the shop is up." : "A part of the shop is not ready. See which.";
  } catch {
    link.dataset.ready = false;
    words.textContent = "The shop does not answer. Is script/server still running?";
  }
}

look();
setInterval(() => document.hidden || look(), 10_000);
