// Says when the network is gone or slow, and keeps an impatient second press from being sent.
// Without this file everything works; the browser says the same in its own words.
(function () {
  'use strict';
  var SLOW_AFTER = 4000;
  var AGAIN_AFTER = 20000;
  var told = document.getElementById('connection');
  var timer = 0;
  var sentAt = new WeakMap();

  function say(what) {
    if (told) told.textContent = what ? told.getAttribute('data-' + what) : '';
  }

  addEventListener('offline', function () { say('offline'); });
  addEventListener('online', function () { say(''); });
  if (!navigator.onLine) say('offline');

  document.addEventListener('submit', function (event) {
    var form = event.target;
    var now = Date.now();
    if (event.defaultPrevented || form.hasAttribute('data-own')) return;
    if (!navigator.onLine) {
      event.preventDefault();
      say('offline');
    } else if (now - (sentAt.get(form) || 0) < AGAIN_AFTER) {
      event.preventDefault();
      say('slow');
    } else {
      sentAt.set(form, now);
      clearTimeout(timer);
      timer = setTimeout(function () { say('slow'); }, SLOW_AFTER);
    }
  });

  // The page may come back as it was left, by the back button.
  addEventListener('pageshow', function () {
    clearTimeout(timer);
    sentAt = new WeakMap();
    say(navigator.onLine ? '' : 'offline');
  });
})();
