// The dashboard where there is nothing yet, where somebody lags, and where the engine is not well.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openSync, closeSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { binary, Engine, hasSmallDisks, launch, openPage, overflow, root, shoot, skip, uuid } from './harness.mjs';

let browser;
before(async () => {
  if (!skip) browser = await launch();
});
after(async () => {
  await browser?.close();
});

const check = (name, run, why = skip) => test(name, { skip: skip || why, timeout: 600_000 }, run);
const settled = (page) => page.locator('[data-testid=freshness].live').waitFor();
async function withEngine(options, run) {
  const engine = await Engine.start(options);
  try {
    await run(engine);
  } finally {
    await engine.close();
  }
}

// What each screen says on a fresh engine, and what it teaches to do next.
const fresh = {
  live: [/No event since this page opened/, /adbrook generate|\/v1\//],
  overview: [/No events in this period/, /adbrook generate/],
  outcomes: [/No impressions yet/, /adbrook generate/],
  topics: [/nothing waits/],
  'topics/impressions': [/Nothing here/, /another partition/],
  'dead-letters': [/Everything could be read/, /\/v1\/pixel\.gif/],
  system: [/Ready\./, /format of the data\s*adbrook \d/],
  event: [/No event is named/, /Ctrl K/],
  [`event/${uuid()}`]: [/There is no event of this id/],
  cell: [/No cell is named/, /Overview/],
  nonsense: [/Not here/],
};

check('a fresh engine has screens that teach, also at 320 px in light', async () => {
  await withEngine({}, async (engine) => {
    const axe = readFileSync(join(root, 'web/node_modules/axe-core/axe.min.js'), 'utf8');
    const page = await openPage(browser, engine, '/', { viewport: { width: 320, height: 700 }, colorScheme: 'light' });
    for (const [address, says] of Object.entries(fresh)) {
      await page.goto(`${engine.url}/#/${address}`);
      await settled(page);
      for (const words of says) await page.locator('main').filter({ hasText: words }).waitFor();
      assert.ok((await overflow(page)) <= 0, `${address} is wider than its window`);
      await page.evaluate(axe);
      const found = await page.evaluate(async () => (await window.axe.run(document)).violations.map((v) => `${v.id}: ${v.nodes[0].html}`));
      assert.deepEqual(found, [], address);
      await shoot(page, `fresh-${address.split('/')[0]}${address.includes('/') ? '-one' : ''}-320-light`);
    }
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
});

check('every number of overview opens to as many events as it says, and events open to their life', async () => {
  await withEngine({}, async (engine) => {
    const start = new Date(Date.now() - 6 * 3_600_000).toISOString();
    engine.generate('--events', '4000', '--seed', '7', '--start', start, '--span', '4h');
    await engine.json('/v1/audit?wait=20s');
    const page = await openPage(browser, engine, '/#/overview?period=24h&compare=none&tz=UTC');
    const numbers = page.locator('main .bars td.n');
    await numbers.nth(100).waitFor();
    await page.waitForFunction(() => !document.querySelector('.loading'));
    const shut = await numbers.evaluateAll((all) => all.filter((cell) => /\d/.test(cell.textContent) && !cell.querySelector('a')).length);
    assert.equal(shut, 0, 'numbers that do not open');
    const links = await page.locator('main a[href*="cell?"]').evaluateAll((all) => all.map((a) => ({
      text: a.textContent,
      of: (a.closest('[data-metric]')?.dataset.metric ?? a.getAttribute('aria-label')?.split(':')[0].split(' ').pop() ?? '').toLowerCase(),
      cell: new URLSearchParams(a.hash.split('?')[1]).get('cell'),
    })));
    const events = new Map();
    let compared = 0;
    for (const { text, of, cell } of links) {
      if (!events.has(cell)) {
        const found = await engine.json(`/v1/events?${new URLSearchParams({ cell, limit: '10000' })}`);
        assert.ok(!found.more_impressions && !found.more_clicks, cell);
        events.set(cell, found);
      }
      if (of !== 'impressions' && of !== 'clicks') continue; // a rate or a sum opens, and is no count
      assert.equal(events.get(cell)[of].length, Number(text.replaceAll(',', '')), `${of} of ${cell}`);
      ++compared;
    }
    assert.ok(compared > 60 && events.size > 30, `${compared} numbers of ${events.size} cells`);
    for (const list of ['impressions', 'clicks'])
      for (const { uuid: id } of events.get(links[0].cell)[list].slice(0, 20))
        assert.equal((await engine.json(`/v1/events/${id}`)).uuid, id);

    // By its place: the address of a moving period changes with the minute.
    const clicks = page.locator('main [data-metric=clicks] a');
    const text = await clicks.innerText();
    assert.match(text, /^[1-9]\d?$/);
    await clicks.click();
    await page.getByRole('heading', { name: `Clicks: ${text}`, exact: true }).waitFor();
    await page.locator('tbody th a').last().click();
    await page.locator('.steps').waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
});

check('lag in records and in time is that of the log', async () => {
  await withEngine({}, async (engine) => {
    for (let i = 0; i < 40; ++i)
      await engine.post('/v1/clicks', { uuid: uuid(), timestamp: Date.now(), campaignId: 1, pubId: 1 });
    const read = spawnSync(binary, ['consume', 'clicks', '--group', 'reader', '-n', '3', '-b', engine.kafka]);
    assert.equal(read.status, 0, String(read.stderr));
    // What the log itself says of the group's positions: the end, and when the next record came.
    const { groups } = await engine.json('/v1/groups');
    const positions = groups.find((g) => g.group === 'reader').partitions;
    assert.equal(positions.reduce((n, p) => n + p.committed, 0), 3);
    const expected = new Map();
    for (const { topic, partition, committed } of positions) {
      const { end, records } = await engine.json(`/v1/topics/${topic}/records?partition=${partition}&from=${committed}&limit=1`);
      expected.set(`${topic}-${partition}`, { records: end - committed, since: records.length ? Date.parse(records[0].append_time) : null });
    }
    assert.ok([...expected.values()].some((p) => p.records > 0 && p.since !== null));

    const page = await openPage(browser, engine, '/#/topics');
    const group = page.locator('section:has(h2:has-text("Group reader"))');
    await group.waitFor();
    // So that seconds are told, not only milliseconds.
    await group.locator('tbody td', { hasText: /^[1-9][\d.]* s$/ }).first().waitFor();
    const before = Date.now();
    await page.reload();
    await group.waitFor();
    const rows = await group.locator('tbody tr').evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    const after = Date.now();
    assert.equal(rows.length, expected.size);
    for (const [place, , , records, time] of rows) {
      const { records: count, since } = expected.get(place);
      assert.equal(Number(records), count, place);
      if (count === 0) {
        assert.equal(time, '0', place);
        continue;
      }
      assert.match(time, /^[\d.]+ m?s$/, place);
      const seconds = Number.parseFloat(time) / (time.endsWith('ms') ? 1000 : 1);
      const rounding = seconds < 10 ? 0.05 : 0.5;
      assert.ok(seconds >= (before - since) / 1000 - rounding && seconds <= (after - since) / 1000 + rounding,
        `${place}: ${time}, and by the log ${before - since} to ${after - since} ms`);
    }
    const total = [...expected.values()].reduce((n, p) => n + p.records, 0);
    assert.match(await group.innerText(), new RegExp(`\\b${total} records, [\\d.]+ m?s behind`));
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
});

// Takes all the room that is left.
function fill(path) {
  const file = openSync(path, 'w');
  const block = Buffer.alloc(1 << 16);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}

check('a full disk is told on System, and that it passed', async () => {
  await withEngine({ diskSize: 400 }, async (engine) => {
    const page = await openPage(browser, engine, '/#/system');
    await page.getByText('Ready.').waitFor();
    fill(engine.onDisk('everything-else'));
    // Room that was set aside before is used up first.
    let status = 202;
    for (let i = 0; i < 1_000 && status === 202; ++i) {
      const many = Array.from({ length: 500 }, () => ({ uuid: uuid(), timestamp: Date.now(), campaignId: 1, pubId: 1, extra: { filler: 'x'.repeat(1000) } }));
      const answer = await fetch(`${engine.url}/v1/impressions`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(many),
      });
      status = answer.status;
      await answer.arrayBuffer();
    }
    assert.equal(status, 503);
    await page.getByRole('alert').filter({ hasText: /Not ready[^]*the disk is full/ }).waitFor();
    await page.locator('.checks .o-rejected', { hasText: /disk is full/ }).waitFor();
    await shoot(page, 'system-full-light');
    rmSync(engine.onDisk('everything-else'));
    await page.getByText('Ready.').waitFor();
    const again = await engine.post('/v1/impressions', { uuid: uuid(), timestamp: Date.now(), campaignId: 1, pubId: 1 });
    assert.equal(again.accepted, 1);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}, !hasSmallDisks && 'no mount of its own is allowed here (unshare -Urm)');
