import { existsSync, readFileSync } from 'node:fs';
import { sendEmail } from '../../../src/catalogue/send-email';
import { createRenderer } from '../../../src/handlers/email/render';
import { compileTemplates } from '../../../tools/templates';
import { receipt, SAMPLES, wholeEmail, type SampleTemplate } from '../../support/emails';

const TEMPLATES = Object.keys(SAMPLES) as SampleTemplate[];
const MARK = 'mark';
const render = createRenderer();
const rendered = (payload: Record<string, unknown>) => render(sendEmail.payload.parse(payload), MARK);

describe('the compiled templates', () => {
  it('are what their sources say', async () => {
    for (const [file, text] of await compileTemplates()) {
      expect(existsSync(file) ? readFileSync(file, 'utf8') : `no ${file}`).toBe(text);
    }
  });

  it('are those that the payload knows', () => {
    expect(sendEmail.payload).toHaveProperty('options.length', TEMPLATES.length);
  });
});

describe.each(TEMPLATES)('%s', (template) => {
  const least = { template, to: 'guest@example.com', data: SAMPLES[template].least };

  it('says all that it is told', () => {
    const { subject, text, html, policy, optional } = rendered(wholeEmail(template));
    expect({ subject, policy, optional }).toMatchSnapshot('beside the parts');
    expect(text).toMatchSnapshot('text');
    expect(html).toMatchSnapshot('HTML');
  });

  it('can be made of what it must be told alone', () => {
    const { subject, text, html } = rendered(least);
    expect(subject).not.toBe('');
    expect(text).toMatchSnapshot('text');
    for (const part of [text, html]) expect(part).not.toMatch(/\{\{|undefined|null|\[object/);
  });

  it('needs all of that', () => {
    for (const name of Object.keys(least.data)) {
      const data = Object.fromEntries(Object.entries(least.data).filter(([other]) => other !== name));
      expect([name, sendEmail.payload.safeParse({ ...least, data }).success]).toEqual([name, false]);
    }
  });

  it('has the subject of the request where it names one', () => {
    const mail = rendered(wholeEmail(template, { subject: 'See you <soon>' }));
    expect(mail.subject).toBe('See you <soon>');
    expect(mail.html).toContain('<title>See you &lt;soon&gt;</title>');
  });

  it('shows what comes from outside as text in the HTML, and as it is in the text', () => {
    const hostile = `<b>"x"</b> & 'Co' {{a}} =\``;
    const whole = wholeEmail(template);
    const shown = Object.keys({ ...SAMPLES[template].least, ...SAMPLES[template].more }).flatMap((name) => {
      const payload = { ...whole, data: Object.assign({}, whole['data'], { [name]: hostile }) };
      // What has a form of its own cannot be hostile.
      return sendEmail.payload.safeParse(payload).success ? [rendered(payload)] : [];
    });
    expect(shown.length).toBeGreaterThan(0);
    for (const { text, html, subject } of shown) {
      expect(`${text}${subject}`).toContain(hostile);
      expect(html).not.toContain('<b>"x"');
      expect(html).toContain('&lt;b&gt;&quot;x&quot;&lt;/b&gt; &amp; &#x27;Co&#x27; {{a}} &#x3D;&#x60;');
    }
  });
});

describe('an order receipt', () => {
  it('names every ticket in both parts', () => {
    const tickets = Array.from({ length: 1_000 }, (_, index) => ({
      ticketId: `ticket-${index}-`,
      seatId: `B-${index}-`,
    }));
    const { text, html } = rendered(wholeEmail('order-receipt', { data: receipt({ tickets }) }));
    for (const { ticketId, seatId } of tickets) {
      expect(text).toContain(`Ticket ${ticketId}, seat ${seatId}\n`);
      expect(html).toContain(`>${ticketId}<`);
      expect(html).toContain(`>${seatId}<`);
    }
  });

  it('shows ticket and seat as text in the HTML, and as they are in the text', () => {
    const tickets = [{ ticketId: '<b>1</b>', seatId: '"&"' }];
    const { text, html } = rendered(wholeEmail('order-receipt', { data: receipt({ tickets }) }));
    expect(text).toContain('Ticket <b>1</b>, seat "&"');
    expect(html).toContain('&lt;b&gt;1&lt;/b&gt;');
    expect(html).toContain('&quot;&amp;&quot;');
  });
});

describe('a reminder', () => {
  const batch = (...recipients: Record<string, unknown>[]) =>
    rendered(wholeEmail('event-reminder', { to: undefined, recipients }));
  const ada = { to: 'ada@example.com', name: 'Ada & Co', tickets: 2 };
  const ben = { to: 'ben@example.com' };

  it('to one is written for that one', () => {
    const { text, html, recipients } = batch(ada);
    expect(text).toContain('Hello Ada & Co,\n');
    expect(html).toContain('Hello Ada &amp; Co,');
    expect(text).toContain('Please have your 2 tickets at hand.');
    expect(recipients).toEqual([{ to: 'ada@example.com', substitutions: {} }]);
  });

  it('to many has a mark for what differs, and the words of each, escaped for the HTML alone', () => {
    const { text, html, recipients } = batch(ada, ben);
    expect(text).toContain('%mark.greeting.text%\n');
    expect(html).toContain('>%mark.greeting.html%<');
    expect(`${text}${html}`).not.toMatch(/Ada|Hello/);
    expect(recipients).toEqual([
      {
        to: 'ada@example.com',
        substitutions: {
          '%mark.greeting.text%': 'Hello Ada & Co,',
          '%mark.greeting.html%': 'Hello Ada &amp; Co,',
          '%mark.advice.text%': 'Please have your 2 tickets at hand.',
          '%mark.advice.html%': 'Please have your 2 tickets at hand.',
        },
      },
      {
        to: 'ben@example.com',
        substitutions: {
          '%mark.greeting.text%': 'Hello,',
          '%mark.greeting.html%': 'Hello,',
          '%mark.advice.text%': 'Please have your ticket at hand.',
          '%mark.advice.html%': 'Please have your ticket at hand.',
        },
      },
    ]);
  });
});
