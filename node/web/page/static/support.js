// A form on a slow line says that it goes, and goes once: pressing again would begin anew with all its files.
(function () {
  "use strict";
  var patience = 30000, going = null;
  function back() {
    if (!going) return;
    clearTimeout(going.timer);
    going.button.innerHTML = going.was;
    going = null;
  }
  document.addEventListener("submit", function (event) {
    var button = event.submitter;
    if (event.defaultPrevented || !button || !button.dataset.sending) return;
    if (going) {
      event.preventDefault();
      return;
    }
    going = { button: button, was: button.innerHTML, timer: setTimeout(back, patience) };
    button.textContent = button.dataset.sending;
  });
  window.addEventListener("pageshow", back); // with the browser's own way back
})();

// Who follows a problem by a link has no stream from the server: the page looks again every half minute while it is looked at.
(function () {
  "use strict";
  var pause = 30000, last = performance.now(); // a clock that nobody sets
  function look() {
    if (document.hidden || performance.now() - last < pause - 1000 || !document.querySelector("[data-look]")) return;
    last = performance.now();
    document.body.dispatchEvent(new CustomEvent("help:look"));
  }
  if (!document.querySelector("[data-look]")) return;
  setInterval(look, pause);
  document.addEventListener("visibilitychange", look);
})();
