// An entry point that is a getter which never ends.
// expect: refused timeout
Object.defineProperty(globalThis, 'decodeUplink', {get: function () { for (;;) {} }});
