// kafkajs against a broker that speaks Kafka: the last request versions before the flexible ones.
import zlib from 'node:zlib'
import { bootstrap, cannot, check, eventually, load, nameOf, refused, runAll, same, truth, versionOf } from '../checks.mjs'

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1'
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = load('kafkajs')
const { lz4Compress, lz4Decompress } = load('@platformatic/wasm-utils')
CompressionCodecs[CompressionTypes.Snappy] = load('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => lz4Compress(encoder.buffer),
  decompress: async bytes => lz4Decompress(bytes)
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => zlib.zstdCompressSync(encoder.buffer),
  decompress: async bytes => zlib.zstdDecompressSync(bytes)
})

const START = 1_700_000_000_000 // a fixed event time, so that a lookup by time has one right answer
const kafka = new Kafka({
  clientId: 'conformance', brokers: [bootstrap], logLevel: logLevel.NOTHING,
  retry: { retries: 6, initialRetryTime: 100 }
})
const admin = kafka.admin()

async function topic (what, numPartitions = 1, settings = {}) {
  const name = nameOf(what)
  await admin.createTopics({
    waitForLeaders: true,
    topics: [{
      topic: name, numPartitions, replicationFactor: 1,
      configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value }))
    }]
  })
  return name
}
const partitionsOf = async name =>
  (await admin.fetchTopicMetadata({ topics: [name] })).topics[0].partitions.length
const numbered = (count, first = 0) => Array.from({ length: count }, (_, i) => (
  { key: `k${first + i}`, value: `v${first + i}`, partition: 0, timestamp: String(START + first + i) }))

async function send (name, messages, { producer = {}, ...how } = {}) {
  const client = kafka.producer({ allowAutoTopicCreation: false, ...producer })
  await client.connect()
  try {
    return await client.send({ topic: name, messages, ...how })
  } finally {
    await client.disconnect()
  }
}

// Reads through a group of its own until `count` records are there and nothing more comes for a while.
async function read (name, count, { quiet = 300, seek, ...settings } = {}) {
  const groupId = nameOf('reader-' + Math.random().toString(36).slice(2))
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, ...settings })
  const found = []
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => { found.push({ partition, ...message }) }
  })
  if (seek !== undefined) consumer.seek({ topic: name, partition: 0, offset: String(seek) })
  try {
    await eventually(() => found.length >= count, `${count} records are read`).catch(error => {
      throw new Error(`${error.message}: ${found.length} of them`)
    })
    await new Promise(resolve => setTimeout(resolve, quiet))
    return found
  } finally {
    await consumer.disconnect()
  }
}
const values = found => found.map(message => message.value.toString())

// -------------------------------------------------------------------------------- codecs and acks
for (const [name, compression] of Object.entries({
  none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD
})) {
  check('codecs', `${name}_keeps_every_byte`, async () => {
    const where = await topic('codec-' + name)
    const messages = Array.from({ length: 200 }, (_, i) => ({
      key: i % 7 ? `k${i}` : null, value: i % 11 ? `value ${i} `.repeat(30) : null, partition: 0,
      headers: i % 3 ? {} : { h: 'x' }, timestamp: String(START + i)
    }))
    same((await send(where, messages, { compression }))[0].baseOffset, '0', 'base offset')
    const found = await read(where, 200)
    same(found.length, 200, 'records')
    found.forEach((message, i) => same(
      [message.offset, message.key?.toString() ?? null, message.value?.toString() ?? null,
        message.headers.h?.toString() ?? null, message.timestamp],
      [String(i), messages[i].key, messages[i].value, i % 3 ? null : 'x', messages[i].timestamp],
      `record ${i}`))
  })
}
for (const acks of [0, 1, -1]) {
  check('acks', `acks_${acks < 0 ? 'all' : acks}_are_delivered`, async () => {
    const where = await topic('acks' + acks)
    await send(where, numbered(100), { acks })
    same(values(await read(where, 100)), numbered(100).map(m => m.value), 'values')
  })
}
check('acks', 'a_record_over_the_limit_is_refused', async () => {
  const where = await topic('large', 1, { 'max.message.bytes': '2000' })
  const error = await refused(() => send(where, [{ value: 'x'.repeat(5000) }]), '5000 bytes')
  same(error.type, 'MESSAGE_TOO_LARGE', 'error')
})

// ------------------------------------------------------------------- idempotence and transactions
check('idempotence', 'batches_keep_their_order', async () => {
  const where = await topic('idempotent')
  const client = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
  await client.connect()
  for (let i = 0; i < 20; i++) {
    const [told] = await client.send({ topic: where, messages: numbered(10, i * 10) })
    same(told.baseOffset, String(i * 10), 'base offset')
  }
  await client.disconnect()
  same(values(await read(where, 200)), numbered(200).map(m => m.value), 'values')
})

async function transactional (what) {
  const client = kafka.producer({
    transactionalId: nameOf(what), idempotent: true, maxInFlightRequests: 1, transactionTimeout: 30000
  })
  await client.connect()
  return client
}

check('transactions', 'committed_are_read_and_aborted_are_not', async () => {
  const where = await topic('txn', 2)
  const client = await transactional('txn')
  const expected = []
  for (let i = 0; i < 4; i++) {
    const transaction = await client.transaction()
    await transaction.send({ topic: where, messages: numbered(5, i * 5) })
    await transaction.send({ topic: where, messages: [{ value: 'other', partition: 1 }] })
    if (i % 2) {
      await transaction.abort()
    } else {
      await transaction.commit()
      expected.push(...numbered(5, i * 5).map(m => m.value))
    }
  }
  await client.disconnect()
  const committed = await read(where, 12)
  same(values(committed.filter(m => m.partition === 0)), expected, 'committed')
  same(committed.filter(m => m.partition === 1).length, 2, 'committed of the other partition')
  same((await read(where, 24, { readUncommitted: true })).length, 24, 'records in all')
})
check('transactions', 'offsets_commit_with_the_transaction', async () => {
  const where = await topic('txn-offsets')
  const groupId = nameOf('txn-offsets')
  await send(where, numbered(10))
  const client = await transactional('txn-offsets')
  const topics = [{ topic: where, partitions: [{ partition: 0, offset: '7' }] }]
  const committed = async () =>
    (await admin.fetchOffsets({ groupId, topics: [where] }))[0].partitions[0].offset
  for (const end of ['abort', 'commit']) {
    const transaction = await client.transaction()
    await transaction.sendOffsets({ consumerGroupId: groupId, topics })
    await transaction[end]()
    same(await committed(), end === 'abort' ? '-1' : '7', `offset after the ${end}`)
  }
  await client.disconnect()
})
check('transactions', 'the_heir_aborts_and_fences_the_zombie', async () => {
  const where = await topic('fence')
  const zombie = await transactional('fence')
  const first = await zombie.transaction()
  await first.send({ topic: where, messages: [{ value: 'zombie' }] })
  const heir = await transactional('fence')
  const second = await heir.transaction()
  await second.send({ topic: where, messages: [{ value: 'heir' }] })
  await refused(() => first.commit(), "the zombie's commit")
  await second.commit()
  same(values(await read(where, 1)), ['heir'], 'committed')
  await Promise.all([zombie.disconnect(), heir.disconnect()])
})

// ------------------------------------------------------------------------------ groups and offsets
async function member (groupId, name) {
  const consumer = kafka.consumer({
    groupId, sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 6000, maxWaitTimeInMs: 100
  })
  const state = { assigned: [], seen: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    state.assigned = payload.memberAssignment[name] ?? []
  })
  await consumer.connect()
  await consumer.subscribe({ topic: name, fromBeginning: true })
  await consumer.run({
    autoCommitInterval: 100,
    eachMessage: async ({ partition, message }) => { state.seen.push(`${partition}@${message.offset}`) }
  })
  state.leave = () => consumer.disconnect()
  return state
}
const shared = (members, count) =>
  members.every(m => m.assigned.length) &&
  new Set(members.flatMap(m => m.assigned)).size === count &&
  members.flatMap(m => m.assigned).length === count

check('groups', 'two_members_share_and_take_over', async () => {
  const where = await topic('group', 4)
  const groupId = nameOf('group')
  const members = [await member(groupId, where)]
  try {
    await eventually(() => shared(members, 4), 'the first has all')
    members.push(await member(groupId, where))
    await eventually(() => shared(members, 4), 'both share')
    for (let partition = 0; partition < 4; partition++) {
      await send(where, numbered(10).map(m => ({ ...m, partition })))
    }
    await eventually(() => new Set(members.flatMap(m => m.seen)).size === 40, 'all is read')
    await members.pop().leave()
    await eventually(() => shared(members, 4), 'the one that stays has all again')
  } finally {
    await Promise.all(members.map(m => m.leave()))
  }
})
cannot('groups', 'a static member returns', 'kafkajs 2.2 has no static membership')

check('offsets', 'a_group_resumes_where_it_committed', async () => {
  const where = await topic('resume')
  const groupId = nameOf('resume')
  await send(where, numbered(100))
  for (const first of [0, 40]) {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, sessionTimeout: 6000 })
    const found = []
    await consumer.connect()
    await consumer.subscribe({ topic: where, fromBeginning: true })
    await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => { found.push(message.offset) } })
    await eventually(() => found.length, 'records are read')
    same(found[0], String(first), 'first offset')
    await consumer.commitOffsets([{ topic: where, partition: 0, offset: String(first + 40), metadata: 'a note' }])
    await consumer.disconnect()
    const [told] = (await admin.fetchOffsets({ groupId, topics: [where] }))[0].partitions
    same([told.offset, told.metadata], [String(first + 40), 'a note'], 'committed')
  }
})
check('offsets', 'a_time_finds_its_record', async () => {
  const where = await topic('time')
  await send(where, Array.from({ length: 30 }, (_, i) => (
    { value: String(i), partition: 0, timestamp: String(START + i * 1000) })))
  same((await admin.fetchTopicOffsetsByTimestamp(where, START + 10_500))[0].offset, '11', 'offset')
  const [ends] = await admin.fetchTopicOffsets(where)
  same([ends.low, ends.high], ['0', '30'], 'ends')
  same((await read(where, 19, { seek: 11 })).at(-1).offset, '29', 'last after the seek')
})

// ------------------------------------------------------------------------------------------ topics
const settingsOf = async name => {
  const told = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name }] })
  return Object.fromEntries(told.resources[0].configEntries.map(e => [e.configName, e.configValue]))
}
check('topics', 'a_topic_is_made_once_described_and_deleted', async () => {
  const where = await topic('life', 3, { 'cleanup.policy': 'compact' })
  same(await admin.createTopics({ topics: [{ topic: where, numPartitions: 3 }] }), false, 'the second one')
  same((await settingsOf(where))['cleanup.policy'], 'compact', 'cleanup.policy')
  await admin.deleteTopics({ topics: [where] })
  await eventually(async () => !(await admin.listTopics()).includes(where), 'it is gone')
})
check('topics', 'settings_are_altered', async () => {
  const where = await topic('settings')
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{
      type: ConfigResourceTypes.TOPIC, name: where, configEntries: [{ name: 'retention.ms', value: '7200000' }]
    }]
  })
  await eventually(async () => (await settingsOf(where))['retention.ms'] === '7200000', 'it is altered')
})
check('topics', 'partitions_grow', async () => {
  const where = await topic('parts', 2)
  await admin.createPartitions({ topicPartitions: [{ topic: where, count: 5 }] })
  await eventually(async () => await partitionsOf(where) === 5, 'five are listed')
})
check('topics', 'records_are_deleted', async () => {
  const where = await topic('delete-records')
  await send(where, numbered(20))
  await partitionsOf(where)
  await admin.deleteTopicRecords({ topic: where, partitions: [{ partition: 0, offset: '12' }] })
  const [ends] = await admin.fetchTopicOffsets(where)
  same([ends.low, ends.high], ['12', '20'], 'ends')
  same((await read(where, 8))[0].offset, '12', 'first offset')
})
check('topics', 'the_cluster_is_described', async () => {
  const told = await admin.describeCluster()
  truth(told.clusterId && told.brokers.some(b => b.nodeId === told.controller), 'no controller')
})

// ------------------------------------------------------------------------------------- group-admin
check('group-admin', 'groups_are_listed_described_and_deleted', async () => {
  const where = await topic('listed', 2)
  const groupId = nameOf('listed')
  const one = await member(groupId, where)
  await eventually(() => shared([one], 2), 'it has all')
  truth((await admin.listGroups()).groups.some(g => g.groupId === groupId), 'it is not listed')
  const [told] = (await admin.describeGroups([groupId])).groups
  same([told.state, told.protocolType, told.members.length], ['Stable', 'consumer', 1], 'description')
  await refused(() => admin.deleteGroups([groupId]), 'deletion while it lives')
  await one.leave()
  await admin.deleteGroups([groupId])
  truth(!(await admin.listGroups()).groups.some(g => g.groupId === groupId), 'it is still listed')
})
check('group-admin', 'offsets_are_set_and_reset', async () => {
  const where = await topic('reset')
  const groupId = nameOf('reset')
  await send(where, numbered(20))
  const offset = async () => (await admin.fetchOffsets({ groupId, topics: [where] }))[0].partitions[0].offset
  await admin.setOffsets({ groupId, topic: where, partitions: [{ partition: 0, offset: '15' }] })
  same(await offset(), '15', 'set')
  await admin.resetOffsets({ groupId, topic: where, earliest: true })
  same(Number(await offset()) <= 0, true, 'reset')
})

await admin.connect()
await runAll('kafkajs ' + versionOf('kafkajs'))
