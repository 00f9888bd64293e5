// @platformatic/kafka against a broker that speaks Kafka: flexible request versions and nothing older.
import { bootstrap, check, eventually, load, nameOf, refused, runAll, same, truth, versionOf } from '../checks.mjs'

const {
  Admin, Consumer, Producer, ConfigResourceTypes, IncrementalAlterConfigOperationTypes,
  FetchIsolationLevels, ListOffsetTimestamps, MessagesStreamModes, MessagesStreamFallbackModes,
  stringDeserializers, stringSerializers
} = load('@platformatic/kafka')

const START = 1_700_000_000_000n // a fixed event time, so that a lookup by time has one right answer
const base = { clientId: 'conformance', bootstrapBrokers: [bootstrap], retries: 5, retryDelay: 200 }
const admin = new Admin({ ...base, strict: true })

async function topic (what, partitions = 1, settings = {}) {
  const name = nameOf(what)
  await admin.createTopics({
    topics: [name], partitions, replicas: 1,
    configs: Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  })
  await eventually(async () => await partitionsOf(name) === partitions, `topic ${name} is listed`)
  return name
}
const partitionsOf = async name =>
  (await admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name).partitionsCount
const numbered = (name, count, first = 0, partition = 0) => Array.from({ length: count }, (_, i) => ({
  topic: name, key: `k${first + i}`, value: `v${first + i}`, partition, timestamp: START + BigInt(first + i)
}))

const producer = settings => new Producer({ ...base, serializers: stringSerializers, ...settings })
async function send (messages, settings = {}) {
  const client = producer()
  try {
    return await client.send({ messages, acks: -1, ...settings })
  } finally {
    await client.close()
  }
}

async function consumer (groupId, settings = {}) {
  return new Consumer({
    ...base, groupId, deserializers: stringDeserializers, sessionTimeout: 6000, heartbeatInterval: 500,
    rebalanceTimeout: 6000, maxWaitTime: 100, ...settings
  })
}
// Reads until `count` records are there and nothing more comes for a while.
async function read (name, count, { quiet = 300, offset, ...settings } = {}) {
  const client = await consumer(nameOf('reader-' + Math.random().toString(36).slice(2)), settings)
  const found = []
  const start = offset === undefined
    ? { mode: MessagesStreamModes.EARLIEST }
    : { mode: MessagesStreamModes.MANUAL, offsets: [{ topic: name, partition: 0, offset: BigInt(offset) }] }
  try {
    const stream = await client.consume({ topics: [name], autocommit: false, ...start, ...settings })
    stream.on('error', () => {})
    stream.on('data', message => found.push(message))
    await eventually(() => found.length >= count, `${count} records are read`).catch(error => {
      throw new Error(`${error.message}: ${found.length} of them`)
    })
    await new Promise(resolve => setTimeout(resolve, quiet))
    return found
  } finally {
    await client.close(true)
  }
}
const values = found => found.map(message => message.value)
const codesOf = error => {
  const codes = []
  for (const e of [error, ...(error.errors ?? [])]) {
    if (e.apiId) codes.push(e.apiId)
    if (e !== error || e.cause) codes.push(...(e.errors ?? e.cause ? codesOf(e.cause ?? e) : []))
  }
  return codes
}

// -------------------------------------------------------------------------------- codecs and acks
for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  check('codecs', `${compression}_keeps_every_byte`, async () => {
    const where = await topic('codec-' + compression)
    const messages = Array.from({ length: 200 }, (_, i) => ({
      topic: where, key: i % 7 ? `k${i}` : undefined, value: `value ${i} `.repeat(30), partition: 0,
      headers: i % 3 ? {} : { h: 'x' }, timestamp: START + BigInt(i)
    }))
    await send(messages, { compression })
    const found = await read(where, 200)
    same(found.length, 200, 'records')
    found.forEach((message, i) => same(
      [message.offset, message.key || null, message.value, message.headers.get('h') ?? null, message.timestamp],
      [BigInt(i), messages[i].key ?? null, messages[i].value, i % 3 ? null : 'x', messages[i].timestamp],
      `record ${i}`))
  })
}
for (const acks of [0, 1, -1]) {
  check('acks', `acks_${acks < 0 ? 'all' : acks}_are_delivered`, async () => {
    const where = await topic('acks' + acks)
    await send(numbered(where, 100), { acks })
    same(values(await read(where, 100)), numbered(where, 100).map(m => m.value), 'values')
  })
}
check('acks', 'a_record_over_the_limit_is_refused', async () => {
  const where = await topic('large', 1, { 'max.message.bytes': '2000' })
  const error = await refused(() => send([{ topic: where, value: 'x'.repeat(5000), partition: 0 }]), '5000 bytes')
  truth(codesOf(error).includes('MESSAGE_TOO_LARGE'), `error ${codesOf(error)}`)
})

// ------------------------------------------------------------------- idempotence and transactions
check('idempotence', 'batches_keep_their_order', async () => {
  const where = await topic('idempotent')
  const client = producer({ idempotent: true })
  for (let i = 0; i < 20; i++) {
    const told = await client.send({ messages: numbered(where, 10, i * 10), acks: -1 })
    same(told.offsets[0].offset, BigInt(i * 10), 'base offset')
  }
  await client.close()
  same(values(await read(where, 200)), numbered(where, 200).map(m => m.value), 'values')
})
// It would claim producer id 0, which a broker refuses for a transactional id that it knows.
const nobody = { producerId: -1n, producerEpoch: -1 }
const transactional = what => producer({ idempotent: true, transactionalId: nameOf(what), retries: 10, ...nobody })

check('transactions', 'committed_are_read_and_aborted_are_not', async () => {
  const where = await topic('txn', 2)
  const expected = []
  for (let i = 0; i < 4; i++) {
    // One producer for each: of two aborted transactions of one producer this client hides the last.
    const client = transactional('txn' + i)
    const transaction = await client.beginTransaction()
    await transaction.send({ messages: numbered(where, 5, i * 5) })
    await transaction.send({ messages: [{ topic: where, value: 'other', partition: 1 }] })
    if (i % 2) {
      await transaction.abort()
    } else {
      await transaction.commit()
      expected.push(...numbered(where, 5, i * 5).map(m => m.value))
    }
    await client.close()
  }
  const committed = await read(where, 12, { isolationLevel: FetchIsolationLevels.READ_COMMITTED })
  same(values(committed.filter(m => m.partition === 0)), expected, 'committed')
  const all = await read(where, 24, { isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED })
  same(all.length, 24, 'records in all')
})
check('transactions', 'offsets_commit_with_the_transaction', async () => {
  const where = await topic('txn-offsets')
  const groupId = nameOf('txn-offsets')
  await send(numbered(where, 10))
  const reader = await consumer(groupId)
  const stream = await reader.consume({ topics: [where], autocommit: false, mode: MessagesStreamModes.EARLIEST })
  stream.on('error', () => {})
  const found = []
  stream.on('data', message => found.push(message))
  await eventually(() => found.length === 10, 'ten are read')
  const client = transactional('txn-offsets')
  for (const end of ['abort', 'commit']) {
    const transaction = await client.beginTransaction()
    await transaction.addConsumer(reader)
    await transaction.addOffset(found[6])
    await transaction[end]()
    same(await committed(groupId, where), end === 'abort' ? -1n : 7n, `offset after the ${end}`)
  }
  await client.close()
  await reader.close(true)
})
async function committed (groupId, name) {
  const [told] = await admin.listConsumerGroupOffsets({
    groups: [{ groupId, topics: [{ name, partitionIndexes: [0] }] }]
  })
  return told.topics[0]?.partitions[0]?.committedOffset ?? -1n
}
check('transactions', 'the_heir_aborts_and_fences_the_zombie', async () => {
  const where = await topic('fence')
  const zombie = transactional('fence')
  const first = await zombie.beginTransaction()
  await first.send({ messages: [{ topic: where, value: 'zombie', partition: 0 }] })
  let heir
  const second = await eventually(() => {
    // A new one for each attempt: after CONCURRENT_TRANSACTIONS this client cannot begin again.
    heir?.close(true)
    heir = transactional('fence')
    return heir.beginTransaction()
  }, 'the heir begins')
  await second.send({ messages: [{ topic: where, value: 'heir', partition: 0 }] })
  await refused(() => first.commit(), "the zombie's commit")
  await second.commit()
  const found = await read(where, 1, { isolationLevel: FetchIsolationLevels.READ_COMMITTED })
  same(values(found), ['heir'], 'committed')
  await Promise.all([zombie.close(true), heir.close(true)])
})

// ------------------------------------------------------------------------------ groups and offsets
async function member (groupId, name, settings = {}) {
  const client = await consumer(groupId, settings)
  const state = { client, seen: [], joins: 0 }
  Object.defineProperty(state, 'assigned', {
    get: () => (client.assignments ?? []).find(a => a.topic === name)?.partitions ?? []
  })
  client.on('consumer:group:join', () => { state.joins++ })
  const stream = await client.consume({
    topics: [name], autocommit: 100, mode: MessagesStreamModes.COMMITTED,
    fallbackMode: MessagesStreamFallbackModes.EARLIEST
  })
  stream.on('error', () => {})
  stream.on('data', message => state.seen.push(`${message.partition}@${message.offset}`))
  state.leave = () => client.close(true)
  return state
}
const shared = (members, count) =>
  members.every(m => m.assigned.length) &&
  new Set(members.flatMap(m => m.assigned)).size === count &&
  members.flatMap(m => m.assigned).length === count

for (const groupProtocol of ['classic', 'consumer']) {
  const prefix = groupProtocol === 'consumer' ? 'newer_protocol_' : ''
  check('groups', prefix + 'two_members_share_and_take_over', async () => {
    const where = await topic('group-' + groupProtocol, 4)
    const groupId = nameOf('group-' + groupProtocol)
    const members = [await member(groupId, where, { groupProtocol })]
    try {
      await eventually(() => shared(members, 4), 'the first has all')
      members.push(await member(groupId, where, { groupProtocol }))
      await eventually(() => shared(members, 4), 'both share')
      for (let partition = 0; partition < 4; partition++) await send(numbered(where, 10, 0, partition))
      await eventually(() => new Set(members.flatMap(m => m.seen)).size === 40, 'all is read')
      await members.pop().leave()
      await eventually(() => shared(members, 4), 'the one that stays has all again')
    } finally {
      await Promise.all(members.map(m => m.leave()))
    }
  })
}

check('offsets', 'a_group_resumes_where_it_committed', async () => {
  const where = await topic('resume')
  const groupId = nameOf('resume')
  await send(numbered(where, 100))
  for (const first of [0n, 40n]) {
    const client = await consumer(groupId)
    const stream = await client.consume({
      topics: [where], autocommit: false, mode: MessagesStreamModes.COMMITTED,
      fallbackMode: MessagesStreamFallbackModes.EARLIEST
    })
    const found = []
    stream.on('error', () => {})
    stream.on('data', message => found.push(message.offset))
    await eventually(() => found.length, 'records are read')
    same(found[0], first, 'first offset')
    await client.commit({ offsets: [{ topic: where, partition: 0, offset: first + 40n, leaderEpoch: 0 }] })
    await client.close(true)
    same(await committed(groupId, where), first + 40n, 'committed')
  }
})
check('offsets', 'a_time_finds_its_record', async () => {
  const where = await topic('time')
  await send(Array.from({ length: 30 }, (_, i) => (
    { topic: where, value: String(i), partition: 0, timestamp: START + BigInt(i * 1000) })))
  const at = async timestamp => {
    const [told] = await admin.listOffsets({
      topics: [{ name: where, partitions: [{ partitionIndex: 0, timestamp }] }]
    })
    return told.partitions[0]
  }
  const found = await at(START + 10_500n)
  same([found.offset, found.timestamp], [11n, START + 11_000n], 'the record after a time')
  same((await at(START + 10n ** 9n)).offset, -1n, 'after the end')
  same((await at(ListOffsetTimestamps.EARLIEST)).offset, 0n, 'earliest')
  same((await at(ListOffsetTimestamps.LATEST)).offset, 30n, 'latest')
  same((await at(ListOffsetTimestamps.MAX)).offset, 29n, 'offset of the largest time')
  same((await read(where, 19, { offset: 11 }))[0].offset, 11n, 'first after the seek')
})

// ------------------------------------------------------------------------------------------ topics
async function settingsOf (name) {
  const [told] = await admin.describeConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: name }]
  })
  return Object.fromEntries(told.configs.map(entry => [entry.name, entry.value]))
}
check('topics', 'a_topic_is_made_once_described_and_deleted', async () => {
  const where = await topic('life', 3, { 'cleanup.policy': 'compact' })
  const error = await refused(() => admin.createTopics({ topics: [where], partitions: 1, replicas: 1 }),
    'the second one')
  truth(codesOf(error).includes('TOPIC_ALREADY_EXISTS'), `error ${codesOf(error)}`)
  same((await settingsOf(where))['cleanup.policy'], 'compact', 'cleanup.policy')
  await admin.deleteTopics({ topics: [where] })
  await eventually(async () => !(await admin.listTopics()).includes(where), 'it is gone')
})
check('topics', 'settings_are_altered_one_by_one', async () => {
  const where = await topic('settings', 1, { 'retention.bytes': '1000000' })
  const alter = (name, configOperation, value) => admin.incrementalAlterConfigs({
    resources: [{
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName: where,
      configs: [value === undefined ? { name, configOperation } : { name, configOperation, value }]
    }]
  })
  await alter('retention.ms', IncrementalAlterConfigOperationTypes.SET, '7200000')
  await eventually(async () => (await settingsOf(where))['retention.ms'] === '7200000', 'it is altered')
  same((await settingsOf(where))['retention.bytes'], '1000000', 'the other')
  await alter('retention.ms', IncrementalAlterConfigOperationTypes.DELETE)
  await eventually(async () => (await settingsOf(where))['retention.ms'] === '604800000', 'it is default')
})
check('topics', 'partitions_grow', async () => {
  const where = await topic('parts', 2)
  await admin.createPartitions({ topics: [{ name: where, count: 5 }] })
  await eventually(async () => await partitionsOf(where) === 5, 'five are listed')
})
check('topics', 'records_are_deleted', async () => {
  const where = await topic('delete-records')
  await send(numbered(where, 20))
  const [told] = await admin.deleteRecords({
    topics: [{ name: where, partitions: [{ partition: 0, offset: 12n }] }]
  })
  same(told.partitions[0].lowWatermark, 12n, 'low watermark')
  same((await read(where, 8))[0].offset, 12n, 'first offset')
})
check('topics', 'log_directories_are_described', async () => {
  const where = await topic('dirs')
  await send(numbered(where, 20))
  const told = await admin.describeLogDirs({ topics: [{ name: where, partitions: [0] }] })
  const found = told[0].results.flatMap(r => r.topics).find(t => t.name === where)
  truth(found.partitions[0].partitionSize > 0n, 'it is empty')
})

// ------------------------------------------------------------------------------------- group-admin
check('group-admin', 'groups_are_listed_described_and_deleted', async () => {
  const where = await topic('listed', 2)
  const groupId = nameOf('listed')
  const one = await member(groupId, where)
  await eventually(() => shared([one], 2), 'it has all')
  truth((await admin.listGroups({ states: ['STABLE'] })).has(groupId), 'it is not listed')
  const told = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
  same([told.state.toUpperCase(), told.protocolType, told.members.size], ['STABLE', 'consumer', 1],
    'description')
  const error = await refused(() => admin.deleteGroups({ groups: [groupId] }), 'deletion while it lives')
  truth(codesOf(error).includes('NON_EMPTY_GROUP'), `error ${codesOf(error)}`)
  await one.leave()
  await admin.deleteGroups({ groups: [groupId] })
  truth(!(await admin.listGroups()).has(groupId), 'it is still listed')
})
check('group-admin', 'offsets_are_set_and_deleted', async () => {
  const where = await topic('reset')
  const groupId = nameOf('reset')
  await send(numbered(where, 20))
  await admin.alterConsumerGroupOffsets({
    groupId, topics: [{ name: where, partitionOffsets: [{ partition: 0, offset: 15n }] }]
  })
  same(await committed(groupId, where), 15n, 'set')
  await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: where, partitionIndexes: [0] }] })
  same(await committed(groupId, where), -1n, 'deleted')
})
check('group-admin', 'a_coordinator_is_found', async () => {
  const found = await admin.findCoordinator({ keyType: 0, keys: ['a', 'b'] })
  same(found.map(f => f.key), ['a', 'b'], 'keys')
  truth(found.every(f => f.port > 0), 'no port')
})

await runAll('@platformatic/kafka ' + versionOf('@platformatic/kafka'))
