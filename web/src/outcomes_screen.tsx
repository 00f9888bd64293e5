// How every received event ended: the sums that must add up, and what each outcome looks like.
import { type AuditAnswer, type OutcomeCount, useQuery } from './api';
import { downloadCsv } from './csv';
import { count, percent, time } from './format';
import { Empty, Loading, Panel, Term, Text, Trouble } from './parts';
import { downloadBars } from './picture';
import { href, param, setParams } from './router';
import { Saves } from './saves';

interface Sample {
  uuid: string | null;
  partition: number;
  offset: number;
  timestamp: string | null;
  reason: string;
  decided: string;
}
// The colour of a bar is that of its word.
const tones: Record<string, string> = { counted: 'impression', joined: 'click', unlinked: 'unlinked',
  pending: 'refused', under_way: 'refused', expired: 'bad', orphan: 'bad', rejected: 'bad' };
const toneOf = (outcome: string) => tones[outcome] ?? 'warn';
const order = ['counted', 'joined', 'unlinked', 'pending', 'under_way', 'expired', 'orphan', 'late', 'duplicate', 'filtered', 'rejected'];
const titles: Record<string, string> = { under_way: 'under way' };

interface Step {
  outcome: string;
  reason: string;
  count: number;
}

function stepsOf(audit: AuditAnswer, topic: string): { received: number; steps: Step[] } {
  const own = audit.partitions.filter((row) => row.topic === topic);
  const sum = (name: 'received' | 'pending' | 'under_way') => own.reduce((n, row) => n + Number(row[name]), 0);
  const steps: Step[] = audit.outcomes.filter((o: OutcomeCount) => o.topic === topic);
  for (const name of ['pending', 'under_way'] as const)
    if (sum(name) > 0) steps.push({ outcome: name, reason: '', count: sum(name) });
  steps.sort((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.count - a.count);
  return { received: sum('received'), steps };
}

function Samples({ topic, step }: { topic: string; step: Step }) {
  const query = new URLSearchParams({ topic, outcome: step.outcome, reason: step.reason, limit: '20' });
  const answer = useQuery<{ samples: Sample[] }>(`/v1/outcomes/samples?${query}`);
  const { data, problem } = answer.value;
  if (problem) return <Trouble problem={problem} again={answer.again} />;
  if (!data) return <Loading lines={2} />;
  if (data.samples.length === 0) return <p class="note">None among the newest outcomes.</p>;
  return (
    <>
    <p class="row"><Saves of={() => ({ name: `adbrook-${topic}-${step.outcome}-samples`, title: `Samples of ${topic}: ${step.outcome} ${step.reason}`,
      columns: ['uuid', 'happened', 'decided', 'reason', 'topic', 'partition', 'offset'],
      rows: data.samples.map((s) => [s.uuid ?? '', s.timestamp ?? '', s.decided, s.reason, topic, s.partition, s.offset]) })} /></p>
    <div class="scroll" tabIndex={0} role="region" aria-label={`Samples of ${step.outcome}`}>
      <table class="table">
        <thead><tr><th scope="col">Event</th><th scope="col">It happened</th><th scope="col">Decided</th><th scope="col">Where it lies</th></tr></thead>
        <tbody>
          {data.samples.map((s) => (
            <tr key={`${s.partition}-${s.offset}`}>
              <th scope="row" class="mono">{s.uuid ? <a href={href('event', {}, s.uuid)}>{s.uuid}</a> : <span class="none">not readable</span>}</th>
              <td>{time(s.timestamp)}</td><td>{time(s.decided)}</td>
              <td class="mono muted">{topic}-{s.partition} @ {s.offset}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    </>
  );
}

function Waterfall({ topic, audit }: { topic: string; audit: AuditAnswer }) {
  const { received, steps } = stepsOf(audit, topic);
  const asked = param('open');
  const open = asked.startsWith(`${topic}:`) ? asked.slice(topic.length + 1) : '';
  const setOpen = (name: string) => setParams({ open: name ? [`${topic}:${name}`] : [] }, 'replace');
  let before = 0;
  const csv = () => downloadCsv(`adbrook-${topic}-outcomes.csv`, ['topic', 'outcome', 'reason', 'count', 'share'],
    steps.map((s) => [topic, s.outcome, s.reason, s.count, received ? s.count / received : 0]), [`as_of: ${audit.as_of ?? ''}`, `received: ${received}`]);
  const picture = () => {
    let from = 0;
    const bars = steps.map((step) => {
      const share = received ? step.count / received : 0;
      from += share;
      return { name: `${titles[step.outcome] ?? step.outcome} ${step.reason}`, share, from: from - share,
        numbers: [count(step.count), percent(share)], tone: toneOf(step.outcome) };
    });
    downloadBars(`adbrook-${topic}-outcomes.png`, { title: `How ${topic} ended`, columns: ['Events', 'Share'],
      note: `as of ${time(audit.as_of)}, ${count(received)} received`, bars });
  };
  return (
    <Panel title={topic === 'clicks' ? 'Clicks' : 'Impressions'}
      tools={<>
        <button type="button" class="button small" onClick={csv}>CSV</button>
        <button type="button" class="button small" onClick={picture}>PNG</button>
      </>}>
      {received === 0 ? (
        <Empty title={`No ${topic} yet`}><p>Send some: <code>adbrook generate --events 20000</code></p></Empty>
      ) : (
        <ol class="waterfall">
          <li>
            <span class="w-name"><Term name="received">received</Term></span>
            <span class="w-bar"><i class="w-received" style={{ width: '100%' }} /></span>
            <b class="n" data-outcome={`${topic}-received`}>{count(received)}</b><span class="n muted">100 %</span>
          </li>
          {steps.map((step) => {
            const left = (100 * before) / received;
            before += step.count;
            const name = `${step.outcome}/${step.reason}`;
            const sampled = !['counted', 'pending', 'under_way'].includes(step.outcome);
            return (
              <li key={name} class={open === name ? 'is-open' : ''}>
                <span class="w-name">
                  <Term name={step.outcome}><span class={`outcome o-${step.outcome}`}>{titles[step.outcome] ?? step.outcome}</span></Term>
                  {step.reason && <span class="muted"> <Text>{step.reason}</Text></span>}
                </span>
                <span class={`w-bar o-${step.outcome}`} aria-hidden="true">
                  <i style={{ marginLeft: `${left}%`, width: `max(2px, ${(100 * step.count) / received}%)` }} />
                </span>
                <b class="n" data-outcome={`${topic}-${name}`}>{count(step.count)}</b>
                <span class="n muted">{percent(step.count / received)}</span>
                {step.outcome === 'counted' && <a class="button small" href={href('overview', { period: ['all'] })}>Where</a>}
                {sampled && (
                  <button type="button" class="button small" aria-expanded={open === name}
                    onClick={() => setOpen(open === name ? '' : name)}>Samples</button>
                )}
                {open === name && <div class="w-samples"><Samples topic={topic} step={step} /></div>}
              </li>
            );
          })}
        </ol>
      )}
    </Panel>
  );
}

export function OutcomesScreen() {
  const query = useQuery<AuditAnswer>('/v1/audit?wait=0', 3000);
  const { data, problem } = query.value;
  if (problem && !data) return <Trouble problem={problem} again={query.again} />;
  if (!data) return <Loading lines={8} />;
  return (
    <div class="stack">
      {data.holds ? (
        <p class="verdict good"><b>Nothing is lost.</b> Every received event has one outcome or is on its way to one, in every partition.
          {data.behind > 0 && <> {count(data.behind)} {data.behind === 1 ? 'record waits' : 'records wait'} to be processed.</>}</p>
      ) : (
        <div class="verdict bad" role="alert"><b>The sums differ.</b>
          <ul>{data.failures.map((failure) => <li key={failure}>{failure}</li>)}</ul></div>
      )}
      <Waterfall topic="impressions" audit={data} />
      <Waterfall topic="clicks" audit={data} />
      <Panel title="By partition" tools={<Saves of={() => ({ name: 'adbrook-partitions', title: 'By partition',
        columns: ['topic', 'partition', 'received', 'pending', 'under_way', 'watermark'],
        rows: data.partitions.map((r) => [r.topic, r.partition, r.received, r.pending, r.under_way, r.watermark]) })} />}>
        <div class="scroll" tabIndex={0} role="region" aria-label="By partition, table">
          <table class="table">
            <thead><tr><th scope="col">Partition</th><th scope="col" class="n"><Term name="received">Received</Term></th><th scope="col" class="n"><Term name="pending">Pending</Term></th>
              <th scope="col" class="n"><Term name="under_way">Under way</Term></th><th scope="col"><Term name="watermark">Watermark</Term></th></tr></thead>
            <tbody>{data.partitions.map((row) => (
              <tr key={`${row.topic}-${row.partition}`}><th scope="row">{row.topic}-{row.partition}</th>
                <td class="n">{count(row.received)}</td><td class="n">{count(row.pending)}</td><td class="n">{count(row.under_way)}</td>
                <td>{time(row.watermark)}</td></tr>
            ))}</tbody>
          </table>
        </div>
      </Panel>
    </div>
  );
}
