/** Owns one recording: microphone, encoder, level meter. Everything is let go of when it ends, however it ends. */

/** What browsers record speech as, best first. All of it is Opus but the last. */
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];
const BITS_PER_SECOND = 32_000;
const LEVELS = 64;
/** Longer ones are files. */
const LONGEST_MS = 60 * 60 * 1_000;
const METER_MS = 80;

export interface Recording {
  file: Blob;
  durationMs: number;
  /** 0 to 100. */
  waveform: number[];
}

export interface Recorder {
  /** Resolves with what was said; null after `cancel`. */
  readonly done: Promise<Recording | null>;
  stop(): void;
  cancel(): void;
}

type OnLevel = (level: number, ms: number) => void;

/** Rejects with NotAllowedError when the person, or the browser, says no. */
export async function record(onLevel: OnLevel): Promise<Recorder> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  });
  try {
    return recorderOf(stream, onLevel);
  } catch (error) {
    // A browser that cannot record must not go on listening.
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

function recorderOf(stream: MediaStream, onLevel: OnLevel): Recorder {
  const type = TYPES.find((one) => MediaRecorder.isTypeSupported(one));
  const recorder = new MediaRecorder(stream, {
    ...(type ? { mimeType: type } : {}),
    audioBitsPerSecond: BITS_PER_SECOND,
  });
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1_024;
  audio.createMediaStreamSource(stream).connect(analyser);

  const parts: Blob[] = [];
  const levels: number[] = [];
  const samples = new Float32Array(analyser.fftSize);
  const began = performance.now();
  let cancelled = false;
  const stop = () => recorder.state !== 'inactive' && recorder.stop();
  const meter = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const level = loudness(samples);
    levels.push(level);
    onLevel(level, performance.now() - began);
    if (performance.now() - began > LONGEST_MS) stop();
  }, METER_MS);

  const done = new Promise<Recording | null>((resolve) => {
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => {
      const durationMs = performance.now() - began;
      clearInterval(meter);
      for (const track of stream.getTracks()) track.stop();
      void audio.close();
      // Without its parameters, which say nothing that is not inside.
      const [mime = 'audio/webm'] = recorder.mimeType.split(';');
      const file = new Blob(parts, { type: mime });
      resolve(cancelled ? null : { file, durationMs, waveform: shrunk(levels) });
    };
  });
  recorder.start(1_000);
  return {
    done,
    stop,
    cancel() {
      cancelled = true;
      stop();
    },
  };
}

/** Root mean square in decibels, from silence (-54) to loud speech (-12), as 0 to 100. */
function loudness(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const decibels = 10 * Math.log10(power + 1e-9);
  return Math.round(Math.min(100, Math.max(0, ((decibels + 54) / 42) * 100)));
}

function shrunk(levels: number[]): number[] {
  if (levels.length <= LEVELS) return levels;
  return Array.from({ length: LEVELS }, (_, i) => {
    const part = levels.slice(Math.floor((i * levels.length) / LEVELS), Math.floor(((i + 1) * levels.length) / LEVELS));
    return Math.max(...part);
  });
}
