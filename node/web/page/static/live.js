// Tells the page what has changed, while it is looked at: one stream from the server becomes events on the body, upon which parts of the
// page fetch themselves again. Without a stream everything works, and shows what was true when it was loaded.
//
// Events: live:ticket, live:queues (at most one a second), live:line, live:presence, live:notices, live:moves (detail: the list), all but the
// last once after a pause in which something may have been missed; live:up and live:down when the stream comes and goes.
(function () {
  "use strict";
  if (!window.EventSource || !document.body.dataset.user) return;
  var page = document.querySelector("[data-live-ticket]");
  var ticket = page && page.dataset.liveTicket;
  var moves = document.querySelector("[data-live-moves]");

  function dispatch(name, detail) {
    document.body.dispatchEvent(new CustomEvent("live:" + name, { detail: detail }));
  }

  // Lists are fetched at most once a second, however much happens. Pauses are measured by a clock that nobody sets.
  var queuesTimer = 0, queuesLast = 0;
  function queues() {
    if (queuesTimer) return;
    queuesTimer = setTimeout(function () {
      queuesTimer = 0;
      queuesLast = performance.now();
      dispatch("queues");
    }, Math.max(0, queuesLast + 1000 - performance.now()));
  }

  function tell(news) {
    if (news.ticket) dispatch("ticket");
    if (news.presence) dispatch("presence");
    if (news.line) dispatch("line");
    if (news.notices) dispatch("notices");
    if (news.queues) queues();
    if (news.moves) dispatch("moves", news.moves);
  }

  // The stream lives while the page is visible: a browser has few connections to one host.
  var source = null, retry = 0, pause = 1000, missed = false, oldest = 60000;
  // The server says something every 15 seconds: a stream that is silent for longer has died without a word, as while the machine slept.
  var heard = 0, silence = 40000;
  function open() {
    if (source || document.hidden) return;
    clearTimeout(retry);
    heard = performance.now();
    var ask = new URLSearchParams();
    if (ticket) ask.set("ticket", ticket);
    if (moves) ask.set("moves", "1");
    // A page that comes slowly is told what changed since it was asked for; one that was first looked at late looks again itself.
    var age = Math.round(performance.now());
    if (age > oldest) missed = true;
    if (!missed) ask.set("age", age);
    source = new EventSource("/live?" + ask);
    source.onopen = function () {
      heard = performance.now();
      pause = 1000;
      dispatch("up");
      if (missed) tell({ ticket: !!ticket, presence: !!ticket, line: true, notices: true, queues: true });
      missed = false;
    };
    source.onmessage = function (event) {
      heard = performance.now();
      tell(JSON.parse(event.data));
    };
    source.onerror = function () {
      lost();
      retry = setTimeout(open, pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, 60000);
    };
  }
  function lost() {
    close();
    dispatch("down");
  }
  function again() {
    if (source) lost();
    open();
  }
  setInterval(function () {
    if (source && performance.now() - heard > silence) again();
  }, 2000);
  window.addEventListener("online", again);
  function close() {
    if (!source) return;
    source.close();
    source = null;
    missed = true;
  }

  // Others see who looks at a ticket, and who writes.
  var shared = ticket && document.getElementById("presence");
  var wrote = -Infinity, doing = "", told = -Infinity;
  function sign(what) {
    doing = what;
    told = performance.now();
    var body = new URLSearchParams({ doing: what });
    var path = "/t/" + encodeURIComponent(ticket) + "/presence";
    if (what === "gone") {
      navigator.sendBeacon(path, body);
      return;
    }
    fetch(path, { method: "POST", body: body, credentials: "same-origin", redirect: "manual" }).catch(function () { /* the next sign says it again */ });
  }
  function present() {
    if (document.hidden) return;
    var now = performance.now() - wrote < 8000 ? "writing" : "viewing";
    if (now !== doing || performance.now() - told > 12000) sign(now);
  }
  if (shared) {
    setInterval(present, 2000);
    document.addEventListener("input", function (event) {
      if (!event.target.closest || !event.target.closest("[data-writing]")) return;
      wrote = performance.now();
      present();
    });
  }

  document.addEventListener("visibilitychange", function () {
    if (document.hidden) {
      close();
      if (shared) sign("gone");
      return;
    }
    pause = 1000;
    open();
    if (shared) present();
  });
  window.addEventListener("pagehide", function () {
    close();
    if (shared && doing !== "gone") sign("gone");
  });
  window.addEventListener("pageshow", open);
  open();
  if (shared) present();

  // A cut of the line that was folded away stays folded away, on all pages.
  document.addEventListener("toggle", function (event) {
    var line = event.target;
    if (!line.matches || !line.matches("details.line.down")) return;
    document.cookie = "tierdesk_line=" + (line.open ? "" : line.dataset.outage) + "; path=/; max-age=" + (line.open ? 0 : 604800) +
      "; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
  }, true);
  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("[data-close]");
    var line = button && button.closest("details");
    if (line) {
      line.open = false;
      line.querySelector("summary").focus();
    }
    document.querySelectorAll("details.line.below[open]").forEach(function (list) {
      if (!list.contains(event.target)) list.open = false;
    });
  });

  // Nothing gives way under a finger that presses it: what came meanwhile is fetched once more when it is lifted.
  var pressed = false, late = {};
  document.addEventListener("pointerdown", function () { pressed = true; }, true);
  ["pointerup", "pointercancel"].forEach(function (name) {
    document.addEventListener(name, function () {
      var names = Object.keys(late);
      pressed = false;
      late = {};
      setTimeout(function () { names.forEach(function (one) { dispatch(one); }); }); // behind the click
    }, true);
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var cause = event.detail.requestConfig && event.detail.requestConfig.triggeringEvent;
    if (!pressed || !cause || cause.type.indexOf("live:") !== 0) return;
    event.detail.shouldSwap = false;
    late[cause.type.slice(5)] = true;
  }, true);

  // A list that is open stays open when the line is told again.
  var below = false;
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id === "line-state") below = !!document.querySelector("details.line.below[open]");
  });
  document.addEventListener("htmx:afterSettle", function (event) {
    var list = event.detail.target && event.detail.target.id === "line-state" && document.querySelector("details.line.below");
    if (list) list.open = below;
  });
})();
