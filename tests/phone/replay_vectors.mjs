// Plays vectors.json through the app's own pipeline and prints, case by case, what it makes of it.

import { readFileSync } from "node:fs";
import { decodeHeartRate } from "../../phone/static/js/straps/heart_rate.js";
import { decodePpi } from "../../phone/static/js/straps/polar.js";
import { Arrivals } from "../../phone/static/js/timing/arrivals.js";
import { NotificationPipeline } from "../../phone/static/js/timing/pipeline.js";

const START = 1_790_000_000n * 1_000_000_000n;
const sinceStart = (timeNs) => Number(timeNs - START);

function replay({ is_pulse: isPulse, events }) {
  const decode = isPulse ? decodePpi : decodeHeartRate;
  const pipeline = new NotificationPipeline(decode, isPulse ? 1000 : 1024);
  const arrivals = new Arrivals(pipeline);
  const found = { streams: [], malformed: 0, repeated: 0 };
  let stream = null;

  function write(raw, part) {
    const { notification, gap, startsStream } = part;
    if (startsStream || stream === null) {
      const createdNs = startsStream ? raw.receivedNs : notification.receivedNs;
      stream = {
        created: sinceStart(createdNs),
        ticks_per_second: pipeline.ticksPerSecond,
        notifications: [],
        gaps: [],
      };
      found.streams.push(stream);
    }
    const sequence = stream.notifications.length + 1;
    stream.notifications.push([
      sequence,
      sinceStart(notification.receivedNs),
      notification.heartRateBpm,
      notification.contact,
      notification.energyKj,
      notification.rrTicks,
      notification.beatTimesNs.map(sinceStart),
    ]);
    if (gap) {
      stream.gaps.push([sequence, sinceStart(gap.startNs), sinceStart(gap.endNs), gap.reason]);
    }
    if (part.rest) write(raw, part.rest);
  }

  function take(placed) {
    for (const { raw, processed } of placed) {
      if (processed.kind === "malformed") found.malformed += 1;
      else if (processed.kind === "duplicate") found.repeated += 1;
      else write(raw, processed);
    }
  }

  for (const event of events) {
    if (typeof event === "string") {
      take(arrivals.interrupt(event));
    } else {
      const [received, monotonic, hex] = event;
      take(
        arrivals.add({
          payload: Uint8Array.from(Buffer.from(hex, "hex")),
          receivedNs: START + BigInt(received),
          monotonicNs: START + BigInt(monotonic),
        }),
      );
    }
  }
  take(arrivals.flush());
  return found;
}

const vectors = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const results = vectors.map((one) => JSON.stringify(replay(one)));
process.stdout.write(`[\n${results.join(",\n")}\n]\n`);
