// Thousands of short-lived shapes, blended into pixels by hand. Without a graphics card, as in a
// headless browser, that is about ten times as fast as one drawImage for each of them.

// Shapes: dot, ring, diamond, cross.
export const pulseKinds = ['counted', 'joined', 'unlinked', 'turned away'] as const;
export function pulseKind(outcome: string): number {
  return outcome === 'counted' ? 0 : outcome === 'joined' ? 1 : outcome === 'unlinked' ? 2 : 3;
}
const lives = [1400, 2600, 2600, 1600]; // ms
const capacity = 6000; // beyond it the oldest give way
const levels = 16; // steps of growing and fading
const faintest = 8; // alpha of 255: what is below it nobody sees
export const stillLevel = 4; // the one that is shown where motion is unwanted

// One shape at one step of its life: the pixels that are not empty, which of a ring are one in ten.
interface Sprite {
  offsets: Int32Array; // from the middle's place in the image
  pixels: Uint32Array; // with alpha in the highest byte
  half: number; // of the side of the square that holds them
}

export class PulseField {
  private readonly x = new Float32Array(capacity);
  private readonly y = new Float32Array(capacity);
  private readonly begin = new Float64Array(capacity); // ms
  private readonly kind = new Uint8Array(capacity);
  private next = 0; // where one more goes when all places are taken
  private sprites: Sprite[][] = [];
  private ratio = 1;
  private image: ImageData | null = null;
  private pixels = new Uint32Array(0);
  count = 0;

  // `ratio` is how many pixels of the screen one of the page has.
  layOut(context: CanvasRenderingContext2D, ratio: number, colors: string[]): void {
    this.ratio = ratio;
    this.count = 0;
    this.image = context.createImageData(context.canvas.width, context.canvas.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.sprites = pulseKinds.map((_, kind) =>
      Array.from({ length: levels }, (_unused, level) =>
        sprite(kind, (level + 0.5) / levels, ratio, colors[kind] ?? '', context.canvas.width),
      ),
    );
  }

  add(x: number, y: number, begin: number, kind: number): void {
    const at = this.count < capacity ? this.count++ : this.next++ % capacity;
    this.x[at] = x * this.ratio;
    this.y[at] = y * this.ratio;
    this.begin[at] = begin;
    this.kind[at] = kind;
  }

  delay(ms: number): void {
    for (let i = 0; i < this.count; ++i) this.begin[i] = (this.begin[i] ?? 0) + ms;
  }

  // A mark of 2 × 2 pixels of the page, under the pulses of the same frame.
  mark(x: number, y: number, rgb: number): void {
    const { pixels, image } = this;
    if (!image) return;
    const side = Math.round(2 * this.ratio);
    const left = Math.round(x * this.ratio - side / 2);
    const top = Math.round(y * this.ratio - side / 2);
    if (left < 0 || top < 0 || left + side > image.width || top + side > image.height) return;
    for (let row = top; row < top + side; ++row)
      pixels.fill((rgb | 0x58000000) >>> 0, row * image.width + left, row * image.width + left + side);
  }

  clear(): void {
    this.pixels.fill(0);
  }

  // Forgets those that are over, on the way; `level` keeps all at one step of their life.
  draw(context: CanvasRenderingContext2D, time: number, level?: number): void {
    for (let i = 0; i < this.count; ) {
      const kind = this.kind[i] ?? 0;
      const age = (time - (this.begin[i] ?? 0)) / (lives[kind] ?? 1);
      if (age >= 1) {
        this.moveLastTo(i);
        continue;
      }
      if (age >= 0) this.stamp(this.sprites[kind]?.[level ?? Math.floor(age * levels)], i);
      ++i;
    }
    if (this.image) context.putImageData(this.image, 0, 0);
  }

  private moveLastTo(place: number): void {
    const last = --this.count;
    this.x[place] = this.x[last] ?? 0;
    this.y[place] = this.y[last] ?? 0;
    this.begin[place] = this.begin[last] ?? 0;
    this.kind[place] = this.kind[last] ?? 0;
  }

  // Where two overlap the stronger one is seen: blending would cost more and look the same.
  private stamp(shape: Sprite | undefined, i: number): void {
    const { pixels, image } = this;
    if (!shape || !image) return;
    const { half, offsets, pixels: from } = shape;
    const x = Math.round(this.x[i] ?? 0);
    const y = Math.round(this.y[i] ?? 0);
    if (x < half || y < half || x + half > image.width || y + half > image.height) return;
    const middle = y * image.width + x;
    for (let n = 0; n < offsets.length; ++n) {
      const target = middle + offsets[n]!;
      // Alpha is the highest byte, so that the stronger pixel is the larger number.
      if (from[n]! > pixels[target]!) pixels[target] = from[n]!;
    }
  }
}

// Drawn once with the canvas's own lines, so that edges are smooth.
function sprite(kind: number, age: number, ratio: number, color: string, width: number): Sprite {
  const grown = 1 - (1 - age) * (1 - age);
  const reach = [1.4 + 2.2 * grown, 3 + 16 * grown, 4 + 9 * grown, 3][kind] ?? 3;
  const half = Math.ceil((reach + 2) * ratio);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = half * 2;
  const to = canvas.getContext('2d', { willReadFrequently: true });
  if (!to) return { offsets: new Int32Array(0), pixels: new Uint32Array(0), half };
  to.translate(half, half);
  to.scale(ratio, ratio);
  to.globalAlpha = 1 - age;
  to.strokeStyle = to.fillStyle = color;
  to.lineWidth = kind === 3 ? 1.3 : 2.2 - 1.4 * age;
  to.beginPath();
  if (kind < 2) {
    to.arc(0, 0, reach, 0, 6.3);
  } else if (kind === 2) {
    to.moveTo(0, -reach);
    for (const [x, y] of [[reach, 0], [0, reach], [-reach, 0]] as const) to.lineTo(x, y);
    to.closePath();
  } else {
    to.moveTo(-reach, -reach);
    to.lineTo(reach, reach);
    to.moveTo(reach, -reach);
    to.lineTo(-reach, reach);
  }
  if (kind === 0) to.fill();
  else to.stroke();
  to.beginPath();
  if (kind === 1) to.arc(0, 0, 2.6, 0, 6.3);
  if (kind === 2) to.rect(-2, -2, 4, 4);
  to.fill();
  const square = new Uint32Array(to.getImageData(0, 0, half * 2, half * 2).data.buffer);
  const filled = [...square.keys()].filter((at) => square[at]! >>> 24 >= faintest);
  return {
    offsets: Int32Array.from(filled, (at) => (Math.floor(at / (half * 2)) - half) * width + (at % (half * 2)) - half),
    pixels: Uint32Array.from(filled, (at) => square[at]!),
    half,
  };
}
