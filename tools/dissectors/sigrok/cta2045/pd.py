import sigrokdecode as srd
from . import tables

# After so much silence what was begun is given up, and the next byte begins a message.
IDLE_MS = 20

ANN_TYPE, ANN_LENGTH, ANN_PAYLOAD, ANN_CHECK, ANN_MESSAGE, ANN_FIELD, ANN_ANSWER, ANN_WARNING = range(8)


class Decoder(srd.Decoder):
    api_version = 3
    id = "cta2045"
    name = "CTA-2045"
    longname = "CTA-2045 (EcoPort) demand response"
    desc = "Modular communications interface of appliances and chargers."
    license = "apache2"
    inputs = ["uart"]
    outputs = []
    tags = ["Energy"]
    annotations = (
        ("type", "Type"),
        ("length", "Length"),
        ("payload", "Payload"),
        ("check", "Check bytes"),
        ("message", "Message"),
        ("field", "Field"),
        ("answer", "Link answer"),
        ("warning", "Warning"),
    )
    annotation_rows = (
        ("bytes", "Bytes", (ANN_TYPE, ANN_LENGTH, ANN_PAYLOAD, ANN_CHECK)),
        ("messages", "Messages", (ANN_MESSAGE, ANN_ANSWER)),
        ("fields", "Fields", (ANN_FIELD,)),
        ("warnings", "Warnings", (ANN_WARNING,)),
    )

    def __init__(self):
        self.reset()

    def reset(self):
        self.samplerate = None
        self.held = [[], []]
        # End of the last frame, for the delay of the link answer.
        self.frame_end = None

    def start(self):
        self.out_ann = self.register(srd.OUTPUT_ANN)

    def metadata(self, key, value):
        if key == srd.SRD_CONF_SAMPLERATE:
            self.samplerate = value

    def put_text(self, ss, es, ann, texts):
        self.put(ss, es, self.out_ann, [ann, texts])

    def ms(self, samples):
        return samples * 1000.0 / self.samplerate if self.samplerate else 0

    def decode(self, ss, es, data):
        ptype, rxtx, pdata = data
        if ptype != "DATA":
            return
        held = self.held[rxtx]
        if held and self.ms(ss - held[-1][1]) > IDLE_MS:
            self.broken(held)
            held.clear()
        held.append((ss, es, pdata[0]))
        if len(held) == self.wanted(held):
            self.whole(held)
            held.clear()

    @staticmethod
    def wanted(held):
        if held[0][2] in (0x06, 0x15):
            return 2
        if len(held) < 4:
            return 6
        return ((held[2][2] << 8 | held[3][2]) & 0x1FFF) + 6

    def broken(self, held):
        text = "broke off after %d bytes" % len(held)
        self.put_text(held[0][0], held[-1][1], ANN_WARNING, [text, "broken", "!"])

    def whole(self, held):
        data = [byte for _, _, byte in held]
        ss, es = held[0][0], held[-1][1]
        if len(data) == 2:
            name, text = tables.answer(data)
            if self.frame_end is not None and self.samplerate:
                text += " after %.0f ms" % self.ms(ss - self.frame_end)
            self.put_text(ss, es, ANN_ANSWER if name else ANN_WARNING, [text, name or "?"])
            return
        self.frame_end = es
        kind = data[0] << 8 | data[1]
        payload, check = data[4:-2], (data[-2], data[-1])
        self.put_text(ss, held[1][1], ANN_TYPE, ["Type %02X %02X" % (data[0], data[1]), "%04X" % kind])
        self.put_text(held[2][0], held[3][1], ANN_LENGTH, ["Length %d" % len(payload), str(len(payload))])
        if payload:
            text = " ".join("%02X" % byte for byte in payload)
            self.put_text(held[4][0], held[-3][1], ANN_PAYLOAD, [text, "…"])
        right = tables.check_bytes(data[:-2])
        good = check == right
        words = "Check bytes right" if good else "Check bytes should be %02X %02X" % right
        self.put_text(held[-2][0], es, ANN_CHECK, [words, "ok" if good else "bad"])
        if not good:
            self.put_text(ss, es, ANN_WARNING, ["bad checksum", "!"])
            return
        name, text, fields = tables.message(kind, payload)
        if name is None:
            self.put_text(ss, es, ANN_WARNING, [text, "!"])
            return
        self.put_text(ss, es, ANN_MESSAGE, [text, name])
        if fields:
            self.put_text(ss, es, ANN_FIELD, [", ".join("%s=%s" % field for field in fields)])
