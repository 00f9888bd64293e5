// Starts the real binary in a new data directory, seeds it, and opens pages of it in Debian's
// Chromium. Nothing here is simulated.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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

// One engine, which can be killed and started again on the same port and data.
export class Engine {
  static async start() {
    const engine = new Engine();
    engine.folder = mkdtempSync(join(tmpdir(), 'adbrook-page-'));
    engine.port = await freePort();
    engine.url = `http://127.0.0.1:${engine.port}`;
    await engine.run();
    return engine;
  }

  async run() {
    this.process = spawn(
      binary,
      ['serve', '--data', join(this.folder, 'data'), '--http', `127.0.0.1:${this.port}`,
        '--kafka', '127.0.0.1:0'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = new Promise((_, fail) =>
      this.process.once('exit', (code) => fail(new Error(`the engine ended with ${code}`))),
    );
    exited.catch(() => {});
    const ready = new Promise((done) => {
      let text = '';
      this.process.stdout.on('data', (bytes) => {
        text += bytes;
        if (text.includes('is ready')) done();
      });
    });
    await Promise.race([ready, exited]);
  }

  async kill() {
    const ended = new Promise((done) => this.process.once('exit', done));
    this.process.kill('SIGKILL');
    await ended;
  }

  async close() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  generate(...flags) {
    const done = spawnSync(binary, ['generate', '--to', this.url, ...flags], { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`generate: ${done.stderr}`);
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
export async function openPage(browser, engine, address = '/', options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
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

export function uuid() {
  return crypto.randomUUID();
}
