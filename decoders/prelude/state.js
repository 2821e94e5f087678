// The small memory of a device that a script may ask for by a top-level `stateVersion`: an object that is there again, as
// `input.state`, with the device's next uplink. It travels as JSON text [version, object]; a text of another version is
// handed to `migrateState(object, version)`, and without that function is forgotten.

const MAX_STATE_LENGTH = 4096; // characters of JSON, as contract.MAX_STATE_LENGTH

const state = { value: undefined, before: '' };

function openState(text, version, migrate) {
  state.before = text;
  state.value = undefined;
  if (version === undefined) return;
  state.value = {};
  if (text === null || text === '') return; // none is kept, as in an example, or none is there yet
  const [number, value] = parseJson(text);
  if (number === version) state.value = value;
  else if (migrate) state.value = migrate(value, number);
}

// The text to keep, or undefined where nothing has changed or none is kept.
function closeState(version) {
  if (version === undefined) return undefined;
  const text = toJson([version, state.value === undefined ? {} : state.value]);
  if (text.length > MAX_STATE_LENGTH) {
    throw new Error('the state is ' + text.length + ' characters of JSON, at most ' + MAX_STATE_LENGTH + ' are kept');
  }
  return state.before === null || text === state.before ? undefined : text;
}
