// A Validator that keeps the worker busy.
// expect: timeout
function Decoder(bytes) { return {n: bytes[0]}; }
function Validator() { for (;;) {} }
