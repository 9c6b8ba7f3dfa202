// A survey without a line: what is ticked stays on this device until the centre has said it has it.
"use strict";
const FRONT = "titian-survei-";
const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
const tell = (name, more) => {
  const said = document.getElementById("survei-kabar");
  if (said) said.textContent = said.dataset[name] + (more ? " " + more : "");
};
const csrf = () => { const field = document.querySelector('input[name="csrf"]'); return field ? field.value : ""; };
const keep = (form, ready) => {
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrf");
  localStorage.setItem(FRONT + form.dataset.survey, JSON.stringify({ to: form.getAttribute("action"), fields, ready }));
};
const send = async (key) => {
  const kept = read(key);
  if (!kept || !kept.ready) return "";
  const body = new FormData();
  kept.fields.forEach(([name, value]) => body.append(name, value));
  let answer, said;
  try {
    answer = await fetch(kept.to, { method: "POST", body, headers: { "X-Titian-Csrf": csrf() }, redirect: "manual" });
  } catch {
    return "waits";
  }
  try {
    said = await answer.json();
  } catch {
    return "enter"; // a page instead of an answer: the session is over, or the form too old
  }
  if (said.kept && said.kept === body.get("sheet")) { localStorage.removeItem(key); return "sent"; }
  localStorage.setItem(key, JSON.stringify({ ...kept, ready: false }));
  tell("refused", said.sentence);
  return "refused";
};
const sendAll = async () => {
  for (const key of Object.keys(localStorage).filter((k) => k.startsWith(FRONT))) {
    const became = await send(key);
    if (["sent", "waits", "enter"].includes(became)) tell(became);
  }
};
const form = document.querySelector("form[data-survey]");
if (form) {
  const kept = read(FRONT + form.dataset.survey);
  if (kept) {
    kept.fields.forEach(([name, value]) => form.querySelectorAll(`[name="${CSS.escape(name)}"]`).forEach((each) => {
      if (["radio", "checkbox"].includes(each.type)) each.checked = each.checked || each.value === value;
      else each.value = value;
    }));
    form.querySelectorAll("details").forEach((each) => { if (each.querySelector(":checked")) each.open = true; });
    tell("back");
  }
  form.addEventListener("input", () => { keep(form, false); tell("kept"); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep(form, true);
    const became = await send(FRONT + form.dataset.survey);
    if (became === "sent") location.assign("/survei?hasil=1");
    if (["waits", "enter"].includes(became)) tell(became);
  });
}
window.addEventListener("online", sendAll);
sendAll();
