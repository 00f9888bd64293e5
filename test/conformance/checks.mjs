// Registers the checks of a JavaScript client and runs them as checks.py does: the same areas, the
// same lines, the same last one.
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const words = process.argv.slice(2)
const option = (name, otherwise) => {
  const at = words.indexOf(name)
  return at < 0 ? otherwise : words[at + 1]
}
export const bootstrap = option('-b', option('--bootstrap', '127.0.0.1:9092'))
// The packages are not beside the scripts: the source tree stays as it is.
const modules = option('--modules', '.')
export const load = createRequire(join(modules, 'package.json'))
export const versionOf = name =>
  JSON.parse(readFileSync(join(modules, 'node_modules', name, 'package.json'), 'utf8')).version

const CHECK_MS_MAX = 90_000
const run = randomBytes(4).toString('hex')
const checks = []

export const nameOf = what => `conf-${run}-${what}`
export const check = (area, name, body) => checks.push({ area, name, body })
export const cannot = (area, name, why) => checks.push({ area, name, why })
export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

const text = value => {
  const whole = JSON.stringify(value, (_, v) => typeof v === 'bigint' ? String(v) : v) ?? 'undefined'
  return whole.length > 300 ? whole.slice(0, 300) + '...' : whole
}
export function same (got, expected, what) {
  if (text(got) !== text(expected) || String(got) !== String(expected)) {
    throw new Error(`${what}: got ${text(got)}, expected ${text(expected)}`)
  }
}
export function truth (condition, what) {
  if (!condition) throw new Error(what)
}
export async function eventually (condition, what, seconds = 30) {
  const end = Date.now() + seconds * 1000
  let last
  while (Date.now() < end) {
    try {
      const value = await condition()
      if (value) return value
    } catch (error) {
      last = error
    }
    await sleep(50)
  }
  throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ''}`)
}
// Demands that the call fails and gives its error.
export async function refused (call, what) {
  try {
    await call()
  } catch (error) {
    return error
  }
  throw new Error(`${what} was accepted`)
}

async function verdictOf (body) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${CHECK_MS_MAX / 1000} s`)), CHECK_MS_MAX)
  })
  try {
    await Promise.race([body(), late])
    return null
  } catch (error) {
    return `${error.name}: ${error.message}${error.cause ? ` (${error.cause.message})` : ''}`
  } finally {
    clearTimeout(timer)
  }
}

export async function runAll (title) {
  console.log(title)
  const only = option('--only', '').split(',').filter(Boolean)
  const counts = { ok: 0, FAIL: 0, skip: 0 }
  // A client's background work may fail long after the check it belongs to.
  process.on('unhandledRejection', () => {})
  for (const { area, name, body, why } of checks) {
    if (only.length && !only.includes(area) && !only.includes(name)) continue
    if (!body) {
      counts.skip++
      console.log(`skip ${area}/${name}: ${why}`)
      continue
    }
    const started = Date.now()
    const wrong = await verdictOf(body)
    counts[wrong ? 'FAIL' : 'ok']++
    const seconds = ((Date.now() - started) / 1000).toFixed(1)
    console.log(`${wrong ? 'FAIL' : 'ok  '} ${area}/${name} (${seconds} s)` +
      (wrong ? `: ${wrong.replace(/\s+/g, ' ').slice(0, 400)}` : ''))
  }
  console.log(`${counts.ok} passed, ${counts.FAIL} failed` + (counts.skip ? `, ${counts.skip} skipped` : ''))
  process.exit(counts.ok && !counts.FAIL ? 0 : 1)
}
