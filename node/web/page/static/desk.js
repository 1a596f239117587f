// The desk's list: a click anywhere on a row opens it, what is chosen stays chosen when the list is made again, and the bar for many
// tickets shows while any is chosen.
(function () {
  "use strict";
  var list = document.getElementById("desk-list"), bar = document.querySelector("[data-bulk]"), chosen = null;
  if (!list) return;

  function boxes() { return Array.prototype.slice.call(list.querySelectorAll("td.pick input")); }
  function show() {
    var all = boxes(), picked = all.filter(function (box) { return box.checked; });
    all.forEach(function (box) { box.closest("tr").classList.toggle("picked", box.checked); });
    var whole = list.querySelector("[data-pick-all]");
    if (whole) {
      whole.hidden = false;
      whole.checked = picked.length > 0 && picked.length === all.length;
      whole.indeterminate = picked.length > 0 && picked.length < all.length;
    }
    if (!bar) return;
    bar.classList.toggle("idle", picked.length === 0);
    var count = bar.querySelector("[data-bulk-count]");
    count.textContent = count.getAttribute("data-word").replace("#", picked.length);
  }
  function pickAll(checked) {
    boxes().forEach(function (box) { box.checked = checked; });
    show();
  }

  // With the shift key held, a box does to all between it and the one before what it does to itself.
  var last = "";
  list.addEventListener("click", function (event) {
    if (!event.target.matches("td.pick input")) return;
    var all = boxes(), ids = all.map(function (box) { return box.id; }), ends = [ids.indexOf(last), all.indexOf(event.target)].sort(function (a, b) { return a - b; });
    if (event.shiftKey && ends[0] >= 0) all.slice(ends[0], ends[1]).forEach(function (box) { box.checked = event.target.checked; });
    last = event.target.id;
  });
  list.addEventListener("change", function (event) {
    if (event.target.hasAttribute("data-pick-all")) pickAll(event.target.checked);
    else show();
  });
  if (bar) {
    bar.querySelector("[data-pick-page]").addEventListener("click", function (event) {
      event.preventDefault();
      pickAll(true);
    });
  }
  list.addEventListener("click", function (event) {
    var row = event.target.closest("tbody tr");
    if (!row || event.target.closest("a, button, input, label, summary, form") || String(getSelection())) return;
    if (event.target.closest("td.pick")) row.querySelector("td.pick input").click();
    else row.querySelector("a.open").click();
  });

  // A ticket's page leads on to the next one of the list that it was opened from, in this window, and back to the row in the list.
  function kept() {
    try { return JSON.parse(sessionStorage.getItem("tierdesk:trail")) || {}; } catch (e) { return {}; }
  }
  function trail(opened) {
    var numbers = Array.prototype.map.call(list.querySelectorAll("tbody a.open"), function (link) { return link.id.replace("open-", ""); });
    try {
      sessionStorage.setItem("tierdesk:trail", JSON.stringify({
        path: location.pathname + location.search.replace(/&?done=[^&]*/, ""), name: document.querySelector("h1").textContent,
        lang: document.documentElement.lang,
        numbers: numbers, opened: opened || ""
      }));
    } catch (e) { /* the browser keeps nothing: the list is one step back */ }
  }
  list.addEventListener("click", function (event) {
    var link = event.target.closest("a.open");
    if (link) trail(link.id.replace("open-", ""));
  });
  function comeBack() {
    var link = document.getElementById("open-" + kept().opened);
    trail();
    if (link && document.activeElement === document.body) link.focus();
  }

  // A choice is kept by the row, for the ticket may have changed since. Nothing is replaced while a form stands open in the list.
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    if (event.target !== list) return;
    if (list.querySelector("details[open]")) {
      event.detail.shouldSwap = false;
      return;
    }
    chosen = {};
    boxes().forEach(function (box) { if (box.checked) chosen[box.id] = true; });
  });
  document.body.addEventListener("htmx:afterSwap", function (event) { // at once: the form may be sent before the list has settled
    if (event.target !== list || !chosen) return;
    boxes().forEach(function (box) { box.checked = !!chosen[box.id]; });
    chosen = null;
    show();
    trail(kept().opened);
  });
  show();
  comeBack();
  window.addEventListener("pageshow", function (event) { if (event.persisted) comeBack(); });
})();
