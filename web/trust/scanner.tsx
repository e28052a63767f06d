/** Reads a code with the camera, in browsers that can; everywhere else people compare numbers. */
import { useEffect, useRef } from 'react';
import { Button } from '../ui/button.tsx';
import { tell } from '../ui/toast.tsx';

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
type DetectorClass = new (options: { formats: string[] }) => Detector;

const detectorClass = (): DetectorClass | undefined =>
  (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;

export const canScan = (): boolean => detectorClass() !== undefined && 'mediaDevices' in navigator;

const EVERY_MS = 250;

export function Scanner({ onCode, onCancel }: { onCode: (code: string) => void; onCancel: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const handlers = useRef({ onCode, onCancel });
  handlers.current = { onCode, onCancel };
  useEffect(() => {
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const stop = () => {
      over = true;
      clearTimeout(timer);
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    async function begin() {
      const Detector = detectorClass();
      if (!Detector || !video.current) return;
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      if (over) return stop();
      video.current.srcObject = stream;
      await video.current.play();
      look(new Detector({ formats: ['qr_code'] }));
    }
    function look(detector: Detector) {
      timer = setTimeout(() => void attempt(detector), EVERY_MS);
    }
    async function attempt(detector: Detector) {
      const [found] = video.current ? await detector.detect(video.current).catch(() => []) : [];
      if (over) return;
      if (!found) return look(detector);
      stop();
      handlers.current.onCode(found.rawValue);
    }
    begin().catch(() => {
      if (over) return;
      tell('The camera cannot be used. Please compare the numbers.');
      handlers.current.onCancel();
    });
    return stop;
  }, []);
  return (
    <div className="grid gap-3 px-5 pb-5">
      {/* A live picture without sound has nothing to be captioned. */}
      <video
        ref={video}
        muted
        playsInline
        aria-label="Camera"
        className="aspect-square w-full rounded-lg object-cover"
      />
      <Button onClick={onCancel}>Compare numbers instead</Button>
    </div>
  );
}
