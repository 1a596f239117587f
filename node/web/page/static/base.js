// What all pages do with a script: times that go on, the visitor's zone, menus that close. Every page works without it.
(function () {
  "use strict";
  var english = document.documentElement.lang === "en";

  // The server shows times in the visitor's zone once it knows it.
  try {
    var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && document.cookie.indexOf("tierdesk_zone=" + zone) < 0) {
      document.cookie = "tierdesk_zone=" + zone + "; path=/; max-age=31536000; samesite=lax" +
        (location.protocol === "https:" ? "; secure" : "");
    }
  } catch (e) { /* the site's zone is shown */ }

  // The node's clock counts: that of this machine may be wrong by hours.
  var ahead = Date.parse(document.body.dataset.now) - Date.now();
  if (!(Math.abs(ahead) > 60000)) ahead = 0;
  window.tierdeskNow = function () { return Date.now() + ahead; };

  function span(milliseconds) {
    var minutes = Math.ceil(Math.max(milliseconds, 0) / 60000);
    if (minutes < 60) return english ? minutes + " min" : minutes + " 分钟";
    var hours = Math.floor(minutes / 60);
    if (hours < 24) {
      var rest = ("0" + (minutes % 60)).slice(-2);
      if (rest === "00") return hours + (english ? " h" : " 小时");
      return english ? hours + " h " + rest + " min" : hours + " 小时 " + rest + " 分";
    }
    var days = Math.floor(hours / 24) + (english ? " d" : " 天");
    return hours % 24 ? days + " " + (hours % 24) + (english ? " h" : " 小时") : days;
  }
  function text(node, words) { if (node.textContent !== words) node.textContent = words; }
  function tick() {
    var now = window.tierdeskNow();
    document.querySelectorAll("time[data-until]").forEach(function (node) {
      var left = Date.parse(node.dateTime) - now;
      node.classList.toggle("late", left < 0);
      text(node, left < 0 ? (english ? span(-left) + " late" : "超时 " + span(-left)) : (english ? span(left) + " left" : "还剩 " + span(left)));
    });
    document.querySelectorAll("time[data-ago]").forEach(function (node) {
      var past = now - Date.parse(node.dateTime);
      text(node, past < 60000 ? (english ? "just now" : "刚刚") : (english ? span(past) + " ago" : span(past) + "前"));
    });
  }
  tick();
  setInterval(tick, 10000);
  document.addEventListener("htmx:afterSettle", tick);

  // What was done is told for a while; what went wrong stays.
  setTimeout(function () {
    document.querySelectorAll("#messages .message.good").forEach(function (told) { told.remove(); });
  }, 6000);

  // What is typed as a password is shown to those who ask for it: many type on a telephone what stands on a slip of paper.
  document.querySelectorAll("[data-reveal]").forEach(function (button) {
    var fields = Array.prototype.slice.call(button.form.querySelectorAll("input[type=password]"));
    button.hidden = false;
    button.addEventListener("click", function () {
      var shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", shown);
      fields.forEach(function (field) { field.type = shown ? "text" : "password"; });
    });
    button.form.addEventListener("submit", function () {
      fields.forEach(function (field) { field.type = "password"; }); // browsers remember what stands in other fields
    });
  });

  // On a narrow window ways to other pages are a row that is wider than the window: the one to this page is moved into sight.
  document.querySelectorAll("nav [aria-current=page]").forEach(function (here) {
    var row = here.parentNode, at = here.getBoundingClientRect(), all = row.getBoundingClientRect();
    if (row.scrollWidth > row.clientWidth) row.scrollLeft += at.left - all.left - (all.width - at.width) / 2;
  });

  // A menu closes when something else is looked at.
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.menu[open], details.line[open]").forEach(function (menu) {
      var inside = menu.contains(document.activeElement); // what somebody types elsewhere keeps the focus
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    });
  });
})();
