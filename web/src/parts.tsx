// Small parts that all screens share.
import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from './api';
import { definitions } from './definitions';
import { chooseZone, signedPercent, zone, zones } from './format';

// Text from events is data: it keeps its own direction, shows what it hides, and never runs away.
export function Text({ children, empty = 'none' }: { children: unknown; empty?: string }) {
  const text = children == null ? '' : String(children);
  if (text === '') return <span class="none">{empty}</span>;
  // eslint-disable-next-line no-control-regex
  const shown = text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, '�');
  return <bdi class="text" title={shown.length > 24 ? shown : undefined}>{shown}</bdi>;
}

// A label whose definition is read on hover, on focus and by screen readers. It is placed by hand, so
// that no scrolling box cuts it off and it stays inside a small window.
export function Term({ name, children }: { name: string; children: ComponentChildren }) {
  const id = useId();
  const word = useRef<HTMLButtonElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  const [shown, setShown] = useState(false);
  useLayoutEffect(() => {
    if (!shown || !word.current || !tip.current) return;
    const at = word.current.getBoundingClientRect();
    const { offsetWidth, offsetHeight, style } = tip.current;
    const below = at.bottom + offsetHeight + 10 < innerHeight;
    style.left = `${Math.max(8, Math.min(at.left, innerWidth - offsetWidth - 8))}px`;
    style.top = `${below ? at.bottom + 2 : at.top - offsetHeight - 2}px`;
    const away = () => setShown(false);
    addEventListener('scroll', away, { capture: true, once: true });
    return () => removeEventListener('scroll', away, { capture: true });
  }, [shown]);
  const about = definitions[name];
  if (!about) return <span>{children}</span>;
  return (
    <span class={`term${shown ? ' shown' : ''}`} onMouseEnter={() => setShown(true)} onMouseLeave={() => setShown(false)}>
      <button
        type="button"
        class="term-word"
        ref={word}
        aria-describedby={id}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && setShown(true)}
        onBlur={() => setShown(false)}
        onClick={() => setShown(true)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || !shown) return;
          event.stopPropagation();
          setShown(false);
        }}
      >
        {children}
      </button>
      <span role="tooltip" id={id} ref={tip}>
        {about}
      </span>
    </span>
  );
}

// The head of a column of numbers, with its definition.
export function NumberHead({ name, children, class: more = '' }: { name: string; children: ComponentChildren; class?: string }) {
  return <th scope="col" class={`n ${more}`} title={definitions[name]}>{children}</th>;
}

export function Delta({ share, good = 'up' }: { share: number | null; good?: 'up' | 'none' }) {
  if (share === null) return <span class="delta none">no comparison</span>;
  const kind = good === 'none' || Math.abs(share) < 0.0005 ? 'even' : share > 0 ? 'up' : 'down';
  return (
    <span class={`delta ${kind}`}>
      <span aria-hidden="true">{share > 0 ? '▲' : share < 0 ? '▼' : '•'}</span> {signedPercent(share)}
    </span>
  );
}

export function Shape({ kind }: { kind: number }) {
  const shapes: JSX.Element[] = [
    <circle cx="8" cy="8" r="3.2" fill="currentColor" />,
    <g fill="none" stroke="currentColor" stroke-width="2">
      <circle cx="8" cy="8" r="6" />
      <circle cx="8" cy="8" r="1.4" fill="currentColor" />
    </g>,
    <path d="M8 1.6 14.4 8 8 14.4 1.6 8Z" fill="none" stroke="currentColor" stroke-width="2" />,
    <path d="m4 4 8 8m0-8-8 8" fill="none" stroke="currentColor" stroke-width="2" />,
  ];
  const names = ['impression', 'click', 'unlinked', 'refused'];
  return (
    <svg class={`shape c-${names[kind]}`} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      {shapes[kind]}
    </svg>
  );
}

export function Panel(props: {
  title: ComponentChildren;
  tools?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class={`panel ${props.class ?? ''}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.tools && <div class="tools">{props.tools}</div>}
      </header>
      {props.children}
    </section>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Trouble({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <p>{problem.message}</p>
      {again && (
        <button type="button" class="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

// One of a few, as buttons side by side.
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChoose: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button
          type="button"
          key={value}
          aria-pressed={value === props.value}
          onClick={() => props.onChoose(value)}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; class?: string }) {
  const box = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => { // before the next key, which is meant for it
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={props.class}
      aria-label={props.title}
      onClose={props.onClose}
      onClick={(event) => event.target === box.current && props.onClose()}
    >
      {props.children}
    </dialog>
  );
}

export function ZoneSelect({ class: name }: { class?: string }) {
  // Four hundred names are made when somebody is about to choose.
  const [all, setAll] = useState(false);
  const shown = all ? zones : [...new Set([zone.value, ...zones.slice(0, 2)])];
  return (
    <select class={name} value={zone.value} aria-label="Time zone"
      onFocus={() => setAll(true)} onPointerEnter={() => setAll(true)}
      onChange={(event) => chooseZone(event.currentTarget.value)}>
      {shown.map((one) => <option key={one}>{one}</option>)}
    </select>
  );
}

export function CodeBlock({ children }: { children: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div class="code">
      <pre tabIndex={0}>{children}</pre>
      <button
        type="button"
        class="button small"
        onClick={() =>
          void navigator.clipboard?.writeText(children).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), 1500);
          })
        }
      >
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}
