// Exports that are a proxy which never answers.
// expect: refused timeout
module.exports = new Proxy({}, {get: function () { for (;;) {} }});
