// What a script may know beyond the portable input: keys of the input object's prototype, so that a script which copies or
// prints its input sees only what every platform gives, and globals that some platforms have. Nothing is made unasked.

// Places in contract.Context and contract.Gateway.
const NAME = 0, TAGS = 1, DR = 2, DATA_RATE = 3, FREQ_HZ = 4, GATEWAYS = 5, PREVIOUS = 6, JOIN_EUI = 7, APPLICATION = 8;
const ADR = 9;
const EUI = 0, RSSI = 1, SNR = 2, LATITUDE = 3, LONGITUDE = 4, ALTITUDE = 5;

class Input {
  constructor(bytes, fPort, recvTime, variables) {
    this.bytes = bytes;
    this.fPort = fPort;
    this.recvTime = recvTime;
    this.variables = variables;
  }
}
defineHidden(Input.prototype, 'constructor', Object);

function known(place) {
  return current.context === null ? undefined : current.context[place];
}

function orUndefined(value) {
  return value === null || value === '' ? undefined : value;
}

function location(gateway) {
  if (gateway[LATITUDE] === null || gateway[LONGITUDE] === null) return undefined;
  return { latitude: gateway[LATITUDE], longitude: gateway[LONGITUDE], altitude: orUndefined(gateway[ALTITUDE]) };
}

function gateways() {
  return (known(GATEWAYS) || []).map((gateway) => ({
    gatewayId: gateway[EUI], rssi: orUndefined(gateway[RSSI]), snr: orUndefined(gateway[SNR]), location: location(gateway),
  }));
}

function previous() {
  const text = known(PREVIOUS);
  return text ? parseJson(text) : undefined;
}

for (const [name, make] of Object.entries({
  time: () => new RealDate(nowMs), // ThingPark's name of recvTime
  devEUI: devEui,
  joinEUI: () => orUndefined(known(JOIN_EUI)),
  deviceName: () => orUndefined(known(NAME)),
  applicationName: () => orUndefined(known(APPLICATION)),
  tags: () => ({ ...known(TAGS) }),
  fCnt: () => current.fCnt,
  dr: () => orUndefined(known(DR)),
  dataRate: () => orUndefined(known(DATA_RATE)),
  frequency: () => orUndefined(known(FREQ_HZ)),
  gateways,
  previous,
})) defineLazy(Input.prototype, name, make);

define(Input.prototype, 'state', {
  get: () => state.value,
  set(value) { state.value = value; },
  configurable: true,
  enumerable: false,
});

function receivedText() {
  return new RealDate(nowMs).toISOString();
}

function loraSettings() {
  const parts = /^SF(\d+)BW(\d+)/.exec(known(DATA_RATE) || '') || [];
  return { spreadingFactor: parts[1] && Number(parts[1]), bandwidth: parts[2] && Number(parts[2]) };
}

// Datacake's view of the message.
function normalizedPayload() {
  return {
    deveui: devEui(), port: current.fPort, counter: current.fCnt, payload: bytesToHex(current.bytes),
    frequency: orUndefined(known(FREQ_HZ)), data_rate: orUndefined(known(DATA_RATE)), coding_rate: '4/5',
    gateways: gateways().map((gateway) => ({
      id: gateway.gatewayId, datetime: receivedText(), channel: undefined, rssi: gateway.rssi, snr: gateway.snr,
    })),
  };
}

// The body of a webhook, as The Things Stack writes it.
function rawPayload() {
  const { spreadingFactor, bandwidth } = loraSettings();
  return {
    end_device_ids: {
      device_id: known(NAME), dev_eui: devEui().toUpperCase(), application_ids: { application_id: known(APPLICATION) },
    },
    received_at: receivedText(),
    uplink_message: {
      f_port: current.fPort, f_cnt: current.fCnt, frm_payload: bytesToBase64(current.bytes), received_at: receivedText(),
      rx_metadata: gateways().map((gateway) => ({
        gateway_ids: { gateway_id: gateway.gatewayId, eui: gateway.gatewayId.toUpperCase() },
        rssi: gateway.rssi, channel_rssi: gateway.rssi, snr: gateway.snr, location: gateway.location,
      })),
      settings: {
        data_rate: { lora: { bandwidth: (bandwidth || 0) * 1000, spreading_factor: spreadingFactor } },
        frequency: Text(known(FREQ_HZ) || ''),
      },
    },
  };
}

// Milesight's gateways: one object with the whole packet.
function loraObject() {
  const lora = loraSettings();
  return {
    applicationName: known(APPLICATION), deviceName: known(NAME), devEUI: devEui(), time: receivedText(),
    rxInfo: gateways().map((gateway) => ({
      mac: gateway.gatewayId, name: gateway.gatewayId, time: receivedText(), rssi: gateway.rssi, loRaSNR: gateway.snr,
      ...(gateway.location || { latitude: 0, longitude: 0, altitude: 0 }),
    })),
    txInfo: {
      frequency: orUndefined(known(FREQ_HZ)), adr: known(ADR) === true, codeRate: '4/5',
      dataRate: { modulation: 'LORA', bandwidth: lora.bandwidth, spreadFactor: lora.spreadingFactor },
    },
    fCnt: current.fCnt, fPort: current.fPort, data: bytesToBase64(current.bytes),
  };
}

// The third argument of a decoder written for the Helium console.
function uplinkInfo() {
  return {
    dev_eui: devEui().toUpperCase(), app_eui: (known(JOIN_EUI) || '').toUpperCase(), name: known(NAME), port: current.fPort,
    fcnt: current.fCnt, reported_at: nowMs, payload: bytesToBase64(current.bytes),
    hotspots: gateways().map((gateway) => ({
      id: gateway.gatewayId, name: gateway.gatewayId, rssi: gateway.rssi, snr: gateway.snr, spreading: known(DATA_RATE),
      frequency: (known(FREQ_HZ) || 0) / 1e6, lat: gateway.location && gateway.location.latitude,
      long: gateway.location && gateway.location.longitude,
    })),
  };
}

defineLazy(G, 'normalizedPayload', normalizedPayload);
defineLazy(G, 'rawPayload', rawPayload);
defineLazy(G, 'configurationValues', () => ({ ...current.variables }));
defineLazy(G, 'LoRaObject', loraObject);
