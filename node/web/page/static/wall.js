// The wall: looks again by itself, shows tickets travelling, and goes on for months without anybody near. Whatever it keeps is bounded.
(function () {
  "use strict";
  var EVERY = 10000;      // between two looks
  var SOONEST = 2000;     // between two looks when something moves
  var STALE = 60000;      // after which the picture says that it is old
  var LONGEST = 8000;     // that a look may take
  var ASLEEP = 10000;     // from here on two ticks of the clock had a sleep between them; longer than a look may take
  var OLD = 43200000;     // after which a time of day alone does not say when
  var MOST_LIGHTS = 40;
  var FRAME = 30;         // least time between two pictures of a light: screens of this kind have little machines behind them
  var STEPS = 60;         // of a light on its way
  var SVG = "http://www.w3.org/2000/svg";

  var main = document.getElementById("main");
  var part = document.getElementById("wall-part");
  var lights = document.getElementById("wall-lights");
  var list = document.getElementById("wall-moves");
  var age = document.getElementById("wall-age");
  var ended = document.getElementById("wall-ended");
  var calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // Looking.
  var version = document.getElementById("wall-data").dataset.version;
  var newer = ""; // a version that was seen once: a page that is loaded while a node stops might never come
  var shown = "";
  var day = new Intl.DateTimeFormat(document.documentElement.lang, { month: "long", day: "numeric", weekday: "long" });
  var clock = document.getElementById("wall-data").dataset.clock;
  var told = Date.parse(document.getElementById("wall-data").dataset.now); // what the node's clock said at lookedAt
  var lookedAt = performance.now(); // a clock that nobody sets
  var beganAt = 0;
  var busy = false;
  var again = false; // another look is wanted as soon as this one has ended
  var stop = null;
  var wanted = 0;

  function look() {
    if (busy) return;
    busy = true;
    beganAt = performance.now();
    stop = new AbortController();
    var timer = setTimeout(function () { stop.abort(); }, LONGEST);
    fetch("/wall/part", { headers: { "HX-Request": "true" }, credentials: "same-origin", cache: "no-store", signal: stop.signal })
      .then(function (response) {
        if (response.headers.get("HX-Redirect") || response.status === 401) {
          ended.hidden = false;
          return null;
        }
        if (!response.ok) throw new Error("status " + response.status);
        return response.text();
      })
      .then(function (text) { if (text !== null) take(text); })
      .catch(function () { /* the age of the picture tells it */ })
      .then(function () {
        clearTimeout(timer);
        busy = false;
        if (again) lookAnew();
      });
  }

  // A look that hangs on a connection of before is given up.
  function lookAnew() {
    again = busy;
    if (busy) stop.abort();
    else look();
  }

  function take(text) {
    var came = document.createElement("template");
    came.innerHTML = text;
    var data = came.content.getElementById("wall-data");
    if (!data) return;
    if (data.dataset.version !== version && data.dataset.version === newer) {
      location.reload();
      return;
    }
    newer = data.dataset.version;
    if (!ended.hidden) ended.hidden = true;
    lookedAt = performance.now();
    clock = data.dataset.clock;
    told = Date.parse(data.dataset.now);
    document.body.classList.toggle("wide", "wide" in data.dataset);
    data.remove();
    tell(came.content.getElementById("wall-moves"));
    var holder = document.createElement("div");
    holder.appendChild(came.content);
    if (holder.innerHTML !== shown) {
      shown = holder.innerHTML;
      part.replaceChildren.apply(part, Array.prototype.slice.call(holder.childNodes));
      lights.setAttribute("viewBox", part.querySelector(".wall-picture").getAttribute("viewBox"));
    }
    tellAge();
  }

  function soon() {
    if (wanted) return;
    wanted = setTimeout(function () { wanted = 0; look(); }, Math.max(200, SOONEST - (performance.now() - beganAt)));
  }

  // What just happened: what was not there before is lit up for a moment.
  function tell(came) {
    if (!came) return;
    came.remove();
    var before = {};
    Array.prototype.forEach.call(list.children, function (item) { before[item.dataset.key] = item.textContent; });
    var items = Array.prototype.slice.call(came.children);
    if (items.length === list.children.length && items.every(function (item) { return before[item.dataset.key] === item.textContent; })) return;
    items.forEach(function (item) { if (!(item.dataset.key in before)) item.className = "new"; });
    list.replaceChildren.apply(list, items);
  }

  function tellAge() {
    var past = performance.now() - lookedAt;
    var stale = past > STALE;
    var when = past > OLD ? day.format(new Date(told)) + " " + clock : clock;
    var text = (stale ? age.dataset.stale : age.dataset.fresh).replace("%s", when);
    if (age.textContent !== text) age.textContent = text;
    document.body.classList.toggle("stale", stale);
  }

  // Tickets on their way.
  var travelling = [];
  var drawing = false;
  var drawn = 0; // when

  function draw(now) {
    if (now - drawn < FRAME) {
      requestAnimationFrame(draw);
      return;
    }
    drawn = now;
    var arrived = [];
    travelling = travelling.filter(function (light) {
      var share = (now - light.start) / light.length;
      if (share >= 1) {
        light.node.remove();
        if (light.then) arrived.push(light.then);
        return false;
      }
      light.step(Math.max(share, 0));
      return true;
    });
    drawing = true;
    arrived.forEach(flash);
    drawing = travelling.length > 0;
    if (drawing) requestAnimationFrame(draw);
  }

  // A light that has a site to come to is told of there when it arrives.
  function animate(node, length, step, then) {
    lights.appendChild(node);
    travelling.push({ node: node, start: performance.now(), length: length, step: step, then: then });
    step(0);
    if (!drawing) {
      drawing = true;
      requestAnimationFrame(draw);
    }
  }

  function circle(r, name) {
    var made = document.createElementNS(SVG, "circle");
    made.setAttribute("r", r);
    made.setAttribute("class", name);
    return made;
  }

  function travel(move) {
    if (calm.matches || document.hidden || travelling.length >= MOST_LIGHTS || !lights.getBoundingClientRect().width) return;
    var up = document.getElementById("line-" + move.from);
    var down = document.getElementById("line-" + move.to);
    if (move.kind === "ESCALATED" && up) along(up, false, "light", move.to);
    else if (move.kind === "RETURNED" && down) along(down, true, "light-back", move.to);
    else if (move.from === move.to) flash(move.to);
  }

  function along(path, back, name, to) {
    var length = path.getTotalLength();
    if (!length) return;
    var points = []; // of their own: the path may be drawn anew meanwhile
    for (var i = 0; i <= STEPS; i++) points.push(path.getPointAtLength(length * (back ? STEPS - i : i) / STEPS));
    var node = document.createElementNS(SVG, "g");
    node.appendChild(circle(16, name + "-glow"));
    node.appendChild(circle(7, name));
    animate(node, 1400 + length * 4, function (share) {
      var at = share * share * (3 - 2 * share) * STEPS;
      var step = Math.min(Math.floor(at), STEPS - 1);
      var a = points[step], b = points[step + 1], rest = at - step;
      node.setAttribute("transform", "translate(" + (a.x + (b.x - a.x) * rest) + " " + (a.y + (b.y - a.y) * rest) + ")");
    }, to);
  }

  function flash(site) {
    var station = document.getElementById("station-" + site);
    if (!station) return;
    var radius = Number(station.dataset.r);
    var node = circle(radius, "light-ring");
    node.setAttribute("cx", station.dataset.x);
    node.setAttribute("cy", station.dataset.y);
    animate(node, 1600, function (share) {
      node.setAttribute("r", radius + 26 * share);
      node.setAttribute("opacity", 1 - share);
    });
  }

  // A machine that slept, or a page that stood still, shows what was true before, and the stream has kept what happened since. Some machines
  // stop the one clock while they sleep, and somebody may set the other: the one that says more counts until the node has told the time.
  var ticked = performance.now();
  var tickedBy = Date.now();
  var wokeAt = -Infinity;

  function asleep() { return Math.max(performance.now() - ticked, Date.now() - tickedBy); }

  // Only what happens while somebody could have seen it travels.
  function awake() { return asleep() < ASLEEP && performance.now() - wokeAt > ASLEEP; }

  function wake() {
    var slept = asleep();
    var stood = slept - (performance.now() - ticked);
    ticked = performance.now();
    tickedBy = Date.now();
    if (slept < ASLEEP) return;
    wokeAt = ticked;
    lookedAt -= stood;
    travelling.forEach(function (light) { light.node.remove(); });
    travelling = [];
    lookAnew();
  }

  function two(number) { return ("0" + number).slice(-2); }

  document.body.addEventListener("live:moves", function (event) {
    var moves = event.detail && (Array.isArray(event.detail) ? event.detail : event.detail.value);
    if (Array.isArray(moves) && awake()) moves.slice(-MOST_LIGHTS).forEach(travel);
    soon();
  });
  document.body.addEventListener("live:line", soon);
  window.addEventListener("online", lookAnew);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) tick(); });

  // The time of day, by the node's clock whatever the screen's says, and the picture's small way over the screen, which keeps it from
  // burning in.
  function tick() {
    wake();
    var now = new Date(told + performance.now() - lookedAt);
    var time = document.getElementById("wall-time");
    var text = two(now.getHours()) + ":" + two(now.getMinutes());
    if (time.textContent !== text) time.textContent = text;
    var date = document.getElementById("wall-date");
    if (date.textContent !== day.format(now)) date.textContent = day.format(now);
    main.className = "shift-" + Math.floor(now.getTime() / 180000) % 4;
    tellAge();
  }
  tick();
  setInterval(tick, 1000);
  setInterval(look, EVERY);
})();
