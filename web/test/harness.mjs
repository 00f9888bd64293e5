// Starts the real binary in a new data directory, seeds it, and opens pages of it in Debian's
// Chromium. Nothing here is simulated.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const build = process.env.ADBROOK_BUILD ?? join(root, 'build');
export const binary = join(build, 'adbrook');
export const shots = join(build, 'page-shots');
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
export const skip = !chromiumPath
  ? 'Chromium is not installed; script/setup installs it'
  : !existsSync(binary)
    ? `${binary} is not built`
    : false;

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// A mount that nobody else sees and that ends with its process needs no rights but these.
const ownMounts = ['unshare', '-Urm'];
export const hasSmallDisks =
  spawnSync(ownMounts[0], [...ownMounts.slice(1), 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

// One engine, which can be killed and started again on the same port and data.
export class Engine {
  // `diskSize`: the data lies on a file system of its own of that many MiB (see hasSmallDisks).
  static async start({ diskSize } = {}) {
    const engine = new Engine();
    engine.diskSize = diskSize;
    engine.folder = mkdtempSync(join(tmpdir(), 'adbrook-page-'));
    engine.port = await freePort();
    engine.url = `http://127.0.0.1:${engine.port}`;
    await engine.run();
    return engine;
  }

  async run() {
    const serve = [binary, 'serve', '--data', join(this.folder, 'data'), '--http', `127.0.0.1:${this.port}`,
      '--kafka', '127.0.0.1:0'];
    const command = this.diskSize
      ? [...ownMounts, 'sh', '-c', `mount -t tmpfs -o size=${this.diskSize}m tmpfs "$0" && exec "$@"`, this.folder, ...serve]
      : serve;
    this.process = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = new Promise((_, fail) =>
      this.process.once('exit', (code) => fail(new Error(`the engine ended with ${code}`))),
    );
    exited.catch(() => {});
    const ready = new Promise((done) => {
      let text = '';
      this.process.stdout.on('data', (bytes) => {
        text += bytes;
        const kafka = /kafka:\/\/(\S+?),/.exec(text);
        if (kafka) this.kafka = kafka[1];
        if (text.includes('is ready')) done();
      });
    });
    await Promise.race([ready, exited]);
  }

  // A path in the data's own file system, which only the engine's process has mounted.
  onDisk(name) {
    return join('/proc', String(this.process.pid), 'root', this.folder, name);
  }

  async kill() {
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGKILL');
    await ended;
  }

  async close() {
    for (const member of this.members ?? []) member.kill('SIGKILL');
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  generate(...flags) {
    const done = spawnSync(binary, ['generate', '--to', this.url, ...flags], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`generate: ${done.stderr}`);
  }

  // A member of a consumer group, by a real client over Kafka's protocol; ends with the engine.
  join(group, topic) {
    const member = spawn(binary, ['consume', topic, '--group', group, '-b', this.kafka], { stdio: 'ignore' });
    this.members = [...(this.members ?? []), member];
    return { leave: () => member.kill('SIGINT') };
  }

  async json(path) {
    const answer = await fetch(this.url + path);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async post(path, body) {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return answer.json();
  }

  // CPU time of the process so far, in seconds.
  async cpuSeconds() {
    const { readFile } = await import('node:fs/promises');
    const text = await readFile(`/proc/${this.process.pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }
}

export async function launch() {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
}

// A page that notes everything it must not do.
export async function openPage(browser, engine, address = '/', options = {}, script = undefined) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    timezoneId: 'UTC',
    ...options,
  });
  context.setDefaultTimeout(90_000); // on a machine that others use nothing is quick
  const page = await context.newPage();
  if (script) await page.addInitScript(script);
  const faults = [];
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    const text = message.text();
    // A server that is down on purpose is not the page's fault.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(text))
      faults.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(engine.url) && !/^(blob|data):/.test(url)) faults.push(`request: ${url}`);
  });
  await page.goto(engine.url + address);
  return Object.assign(page, { faults });
}

export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

// Wider than the window means that a reader has to scroll sideways.
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

// Times of waiting say something only where a processor was free to be had.
const ticks = () => readFileSync('/proc/stat', 'utf8').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
async function withIdleShare(measure) {
  const before = ticks();
  const result = await measure();
  const spent = ticks().map((n, i) => n - before[i]);
  return { result, idle: (spent[3] + spent[4]) / Math.max(1, spent.reduce((a, b) => a + b, 0)) };
}

// Measures up to `times` times until `good` says yes, and gives the best: other work makes single runs
// slow, never fast. A figure that is not good fails, unless the machine never had a fifth of its
// processors to spare while it was measured: then the test is skipped, and says with what figure.
export async function figure(t, { what, times, measure, better, good, says }) {
  let best;
  let idle = 0;
  for (let i = 0; i < times && (best === undefined || !good(best)); ++i) {
    const one = await withIdleShare(measure);
    if (best === undefined || better(one.result, best)) best = one.result;
    idle = Math.max(idle, one.idle);
  }
  const text = `${what}: ${says(best)}`;
  console.log(`# ${text}`);
  if (good(best)) return;
  assert.ok(idle < 0.2, text);
  t.skip(`others kept the machine busy, at best ${Math.round(idle * 100)} % was idle; ${text}`);
}

export function within(limit, t, what, times, measure) {
  return figure(t, { what, times, measure, better: (a, b) => a < b, good: (ms) => ms <= limit,
    says: (ms) => `${Math.round(ms)} ms, at most ${limit}` });
}

// Milliseconds of the page's main thread, by its own clock of processor time: how busy the machine
// is makes little of a difference. Gives what `run` cost and its result.
export async function mainThread(page, run) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async () => Object.fromEntries(
    (await session.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value * 1000]));
  const before = await spent();
  const result = await run();
  const after = await spent();
  await session.detach();
  return { result, task: after.TaskDuration - before.TaskDuration, script: after.ScriptDuration - before.ScriptDuration };
}

// Runs `measure` until `good` says yes of its result, at most `times` times, and gives the best one:
// other work on the machine makes single runs slow, never fast.
export async function bestOf(times, measure, better, good) {
  let best;
  for (let i = 0; i < times; ++i) {
    const one = await measure();
    if (best === undefined || better(one, best)) best = one;
    if (good(best)) break;
  }
  return best;
}

// What a click downloads, as bytes.
export async function downloaded(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  const chunks = [];
  for await (const chunk of await file.createReadStream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function uuid() {
  return crypto.randomUUID();
}
