// The page of a ticket with a script: forms open in place, what changed is fetched again without taking away what somebody types, and
// rings empty. Every verb works without it.
(function () {
  "use strict";
  var panel = document.getElementById("panel");

  function closePanel() {
    var opener = document.getElementById(panel.dataset.from || "");
    panel.textContent = "";
    delete panel.dataset.from;
    if (opener) opener.focus();
  }
  document.addEventListener("click", function (event) {
    var target = event.target.closest ? event.target : null;
    if (!target) return;
    var opener = target.closest("[data-panel]");
    if (opener && panel) {
      panel.dataset.from = opener.id || "";
      var menu = opener.closest("details.menu");
      if (menu) menu.open = false;
    }
    if (target.closest("[data-close]") && panel && panel.contains(target)) {
      event.preventDefault();
      closePanel();
      if (/^\/t\/[^/]+\/./.test(location.pathname)) history.replaceState(null, "", location.pathname.replace(/^(\/t\/[^/]+)\/.*$/, "$1"));
    }
    var title = target.closest("[data-whole]");
    if (title && !String(getSelection())) title.classList.toggle("whole");
    var copy = target.closest("[data-copy]");
    if (copy) copyNumber(copy);
  });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && !event.isComposing && panel && panel.contains(event.target)) closePanel();
  });

  // A form that came has the focus in its first field, and is in sight.
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.target !== panel) return;
    begin();
    panel.scrollIntoView({ block: "nearest" });
    var head = document.getElementById("t-head");
    var covered = head && getComputedStyle(head).position === "sticky" ? head.getBoundingClientRect().bottom - panel.getBoundingClientRect().top : 0;
    if (covered > 0) window.scrollBy(0, -covered - 8);
  });

  function begin() {
    showWhen();
    var first = panel.querySelector("[aria-invalid]") || panel.querySelector("[data-first]") || panel.querySelector("button, .t-close");
    if (first) first.focus({ preventScroll: true });
  }
  if (panel && panel.firstElementChild) begin();

  // A field that belongs to one answer of another field shows with that answer.
  function showWhen() {
    panel.querySelectorAll("[data-when]").forEach(function (part) {
      var values = part.dataset.when.split(" "), asked = panel.querySelector('[name="' + values.shift() + '"]');
      part.hidden = !asked || values.indexOf(asked.value) < 0;
    });
  }
  // One more place for a person, without asking the server.
  function addPlace(button) {
    var places = button.parentNode.querySelector("ol"), place = places.lastElementChild.cloneNode(true), input = place.querySelector("input");
    input.removeAttribute("id");
    input.value = "";
    places.appendChild(place);
    input.focus();
    button.hidden = places.children.length >= Number(button.dataset.more);
  }
  if (panel) {
    panel.addEventListener("change", showWhen);
    panel.addEventListener("click", function (event) {
      var button = event.target.closest("[data-more]");
      if (!button) return;
      event.preventDefault();
      addPlace(button);
    });
  }

  function copyNumber(button) {
    if (!navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(function () {
      button.classList.add("copied");
      setTimeout(function () { button.classList.remove("copied"); }, 1500);
    }, function () { /* the number can be selected by hand */ });
  }
  function offerCopy() {
    if (!navigator.clipboard) return;
    document.querySelectorAll("[data-copy][hidden]").forEach(function (button) { button.hidden = false; });
  }

  // What has changed is fetched again; the question says what is shown already, so that nothing comes when that is the same.
  // Parts keep what is unfolded in them, and who reads the end goes on reading the end.
  // An open form says what it was made of, to be told who changed the ticket since.
  var unfolded = [], atEnd = false, sideAt = 0, whole = false;
  function ofPart(event) { return event.detail.requestConfig && /\/part(\?|$)/.test(event.detail.requestConfig.path); }
  document.addEventListener("htmx:configRequest", function (event) {
    if (!/\/part(\?|$)/.test(event.detail.path)) return;
    var seen = panel && panel.querySelector("[name=seen]"), head = document.getElementById("t-head");
    if (seen) event.detail.parameters.seen = seen.value;
    if (head) event.detail.parameters.shown = head.dataset.shown;
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (!ofPart(event) || !event.detail.shouldSwap) return;
    unfolded = Array.from(document.querySelectorAll("main details[open][id]")).map(function (one) { return one.id; });
    sideAt = document.getElementById("t-side").scrollTop;
    whole = !!document.querySelector("h1.whole");
    atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
  });
  document.addEventListener("htmx:oobAfterSwap", function () { // before the focus comes back into what was unfolded
    unfolded.forEach(function (id) {
      var one = document.getElementById(id);
      if (one) one.open = true;
    });
    document.getElementById("t-side").scrollTop = sideAt;
    if (whole) document.querySelector("[data-whole]").classList.add("whole");
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (!ofPart(event)) return;
    unfolded = [];
    offerCopy();
    trail();
    rings();
    if (atEnd && window.scrollY > 0) window.scrollTo(0, document.documentElement.scrollHeight);
  });

  // A tab of the composer leads into its text.
  document.querySelectorAll(".tab-in").forEach(function (tab) {
    tab.addEventListener("change", say);
  });
  document.querySelectorAll(".tab[data-key]").forEach(function (label) {
    label.addEventListener("click", function () { setTimeout(say); });
  });
  function say() {
    var text = document.getElementById("say");
    if (text) text.focus();
  }
  // Who presses Ctrl+Enter sends: a verb's form as it is, a reply or a note by the button in sight.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    if (event.target.matches("#panel textarea")) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
    if (event.target.id !== "say") return;
    var buttons = Array.from(event.target.form.querySelectorAll(".send-reply, .send-note"));
    var shown = buttons.filter(function (button) { return button.offsetParent; })[0];
    if (!shown) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    shown.click();
  }, true);

  // The way through the list that one comes from: its name, and the tickets before and behind this one.
  function trail() {
    var nav = document.querySelector("[data-trail]"), kept = null;
    try { kept = JSON.parse(sessionStorage.getItem("tierdesk:trail")); } catch (e) { /* the browser keeps nothing */ }
    var at = kept && nav ? kept.numbers.indexOf(document.querySelector("[data-live-ticket]").dataset.liveTicket) : -1;
    if (at < 0) return;
    function lead(way, path) {
      var link = nav.querySelector("[data-way=" + way + "]");
      if (path) {
        link.href = path;
      } else { // at either end of the list
        link.removeAttribute("href");
        link.setAttribute("role", "link");
        link.setAttribute("aria-disabled", "true");
      }
      return link;
    }
    var name = lead("back", kept.path).querySelector("span");
    name.textContent = kept.name;
    name.lang = kept.lang || ""; // that of the page that was left
    lead("before", at > 0 && "/t/" + kept.numbers[at - 1]);
    lead("next", at + 1 < kept.numbers.length && "/t/" + kept.numbers[at + 1]);
    nav.querySelector(".hint").textContent = (at + 1) + " / " + kept.numbers.length;
    nav.hidden = false;
  }
  // A page on paper has all of its words.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.say-long").forEach(function (text) { text.open = true; });
  });

  function rings() {
    var now = window.tierdeskNow();
    document.querySelectorAll("circle[data-till]").forEach(function (ring) {
      var from = Date.parse(ring.dataset.from), till = Date.parse(ring.dataset.till);
      if (!(till > from)) return;
      var left = Math.max(0, Math.min(100, Math.round((till - now) * 100 / (till - from))));
      ring.setAttribute("stroke-dasharray", left + " 100");
    });
  }
  offerCopy();
  trail();
  rings();
  setInterval(rings, 10000);
})();
