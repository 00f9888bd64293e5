// Light, dark, or as the system says. The choice is the reader's and stays on this machine.
import { computed, effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const dark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches;
});
const stored = localStorage.getItem('adbrook.theme');
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');
export const isDark = computed(() =>
  theme.value === 'system' ? systemIsDark.value : theme.value === 'dark',
);
effect(() => {
  document.documentElement.dataset['theme'] = isDark.value ? 'dark' : 'light';
  localStorage.setItem('adbrook.theme', theme.value);
});
export function nextTheme(): void {
  theme.value = theme.value === 'system' ? 'light' : theme.value === 'light' ? 'dark' : 'system';
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');
export const reducedMotion = signal(calm.matches);
calm.addEventListener('change', () => {
  reducedMotion.value = calm.matches;
});

export function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
