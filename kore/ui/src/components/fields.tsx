// Fields of forms, each with its label.

import { type ReactNode, useId } from "react";

export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: string;
  children: (id: string, describedBy: string | undefined) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="kore-field">
      <label htmlFor={id}>{label}</label>
      {children(id, hint ? `${id}-hint` : undefined)}
      {hint && (
        <p className="kore-muted" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A line of text that names or quotes something: nothing corrects or completes it. */
export function TextField({
  label,
  hint,
  value,
  onChange,
  mono = false,
  suggestions,
}: {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
  /** For what is code. */
  mono?: boolean;
  suggestions?: readonly string[];
}) {
  return (
    <Field label={label} hint={hint}>
      {(id, describedBy) => (
        <>
          <input
            id={id}
            aria-describedby={describedBy}
            className={mono ? "kore-input kore-mono" : "kore-input"}
            // Firefox offers no suggestions where completion is off.
            autoComplete={suggestions ? undefined : "off"}
            spellCheck={false}
            list={suggestions && `${id}-suggestions`}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          {suggestions && (
            <datalist id={`${id}-suggestions`}>
              {suggestions.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

export function Checkbox({
  label,
  checked,
  onChange,
}: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="kore-check">
      <input type="checkbox" checked={checked} onChange={(e) => onChange(e.target.checked)} />
      <span>{label}</span>
    </label>
  );
}

export function Search({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          className="kore-input"
          type="search"
          autoComplete="off"
          spellCheck={false}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

export function Select({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: string;
  options: [value: string, label: string][];
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label}>
      {(id) => (
        <select
          id={id}
          className="kore-input"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        >
          {options.map(([key, label]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** One of a few, with all of them in sight; `children` stand above the choices. */
export function RadioGroup<Value extends string>({
  legend,
  value,
  options,
  onChange,
  children,
}: {
  legend: string;
  value: Value;
  options: [value: Value, label: string][];
  onChange: (value: Value) => void;
  children?: ReactNode;
}) {
  const name = useId();
  return (
    <fieldset className="kore-field">
      <legend>{legend}</legend>
      {children}
      {options.map(([key, label]) => (
        <label key={key} className="kore-check">
          <input type="radio" name={name} checked={value === key} onChange={() => onChange(key)} />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}
