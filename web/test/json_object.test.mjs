// Objects that are changed as text, without a browser: the page's own module against a plain model.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { root } from './harness.mjs';

const seed = Number(process.env.ADBROOK_SEED ?? Date.now() % 1_000_000);
let json;

before(async () => {
  console.log(`# seed ${seed}`);
  const { build } = await import('../node_modules/esbuild/lib/main.js');
  const made = await build({ entryPoints: [join(root, 'web/src/json_object.ts')], bundle: true, format: 'esm', write: false });
  json = await import(`data:text/javascript,${encodeURIComponent(made.outputFiles[0].text)}`);
});

test('what is not set stays character by character', () => {
  const event = ' {"creativeId" : 9007199254740993,\n"bid":1.50,"a":1,"city":"caf\\u00e9, \\"x\\": }","a":2,"b":{"c" : [1e400, {}]}, "":[]} ';
  const members = json.membersOf(event);
  assert.deepEqual(members.map((m) => [m.name, m.value]), [['creativeId', '9007199254740993'], ['bid', '1.50'], ['a', '1'],
    ['city', '"caf\\u00e9, \\"x\\": }"'], ['a', '2'], ['b', '{"c" : [1e400, {}]}'], ['', '[]']]);
  assert.equal(json.objectText(json.setMember(members, 'a', '18446744073709551616')),
    '{"creativeId":9007199254740993,"bid":1.50,"a":18446744073709551616,"city":"caf\\u00e9, \\"x\\": }","b":{"c" : [1e400, {}]},"":[]}');
  assert.equal(json.objectText(json.setMember(json.setMember(members, 'b', ''), 'new', 'two words')),
    '{"creativeId":9007199254740993,"bid":1.50,"a":1,"city":"caf\\u00e9, \\"x\\": }","a":2,"":[],"new":"two words"}');
  assert.equal(json.prettyText(json.membersOf('{"a":1.0,"b":[1,2]}')), '{\n  "a": 1.0,\n  "b": [1,2]\n}');
  assert.equal(json.prettyText(json.membersOf(' { } ')), '{}');
});

test('what is no object has no members', () => {
  for (const text of ['', '[1]', 'null', '"x"', '{', '{"a":1,}', '{"a":01}', '{"a":1}{}', "{'a':1}"]) assert.equal(json.membersOf(text), null, text);
});

test('random objects keep their values, and only what is set changes', () => {
  let state = seed;
  const random = (n) => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648, Math.floor((state / 2_147_483_648) * n));
  const texts = ['', 'a', 'b', 'quote"', 'back\\', '{', '},', ':', '\u2028', 'é😀', '__proto__', 'c\n'];
  const value = (depth) => [() => null, () => true, () => random(1e9) - 5e8, () => random(1000) / 7, () => texts[random(texts.length)],
    () => Array.from({ length: random(3) }, () => value(depth - 1)), () => object(depth - 1)][random(depth > 0 ? 7 : 5)]();
  const object = (depth) => Object.fromEntries(Array.from({ length: random(5) }, () => [texts[random(texts.length)], value(depth)]));
  for (let i = 0; i < 2000; ++i) {
    const was = object(3);
    const text = JSON.stringify(was, null, random(3));
    const name = texts[random(texts.length)];
    const typed = ['', '7', 'word', '{"x": 1}', '"7"'][random(5)];
    const wanted = Object.entries(was).map(([k, v]) => [k, v, k === name]);
    const parsed = typed === 'word' ? 'word' : typed === '' ? undefined : JSON.parse(typed);
    const model = wanted.filter(([, , hit]) => !hit || typed !== '').map(([k, v, hit]) => [k, hit ? parsed : v]);
    if (typed !== '' && !wanted.some(([, , hit]) => hit)) model.push([name, parsed]);
    const members = json.membersOf(text);
    const now = json.setMember(members, name, typed);
    for (const written of [json.objectText(now), json.prettyText(now)])
      assert.deepEqual(Object.entries(JSON.parse(written)), Object.entries(Object.fromEntries(model)), `${text} ${name}=${typed}`);
    assert.deepEqual(JSON.parse(json.prettyText(members)), was);
  }
});
