import { existsSync, readFileSync } from 'node:fs';
import { sendEmail } from '../../../src/catalogue/send-email';
import { createRenderer } from '../../../src/handlers/email/render';
import { compileTemplates } from '../../../tools/templates';
import { receipt, receiptEmail } from '../../support/emails';

const render = createRenderer();
const rendered = (data: Record<string, unknown> = {}, over: Record<string, unknown> = {}) =>
  render(sendEmail.payload.parse(receiptEmail({ data: receipt(data), ...over })));

/** Everything that a receipt can say. */
const WHOLE = {
  eventName: 'An Evening of Song',
  venueName: 'The Old Hall',
  amount: 12_345,
  currency: 'eur',
  tickets: [{ ticketId: 'ticket-1', seatId: 'A-1' }, { ticketId: 'ticket-2' }],
};

describe('the compiled templates', () => {
  it('are what their sources say', async () => {
    for (const [file, text] of await compileTemplates()) {
      expect(existsSync(file) ? readFileSync(file, 'utf8') : `no ${file}`).toBe(text);
    }
  });
});

describe('an order receipt', () => {
  it('says all that is known of the order', () => {
    const mail = rendered(WHOLE);
    expect(mail.subject).toBe('Your tickets for An Evening of Song');
    expect(mail.policy).toBe('atLeastOnce');
    expect(mail.text).toMatchSnapshot('text');
    expect(mail.html).toMatchSnapshot('HTML');
  });

  it('can be made of what order.paid tells alone', () => {
    const mail = rendered();
    expect(mail.subject).toBe('Your order order-981');
    expect(mail.text).toMatchInlineSnapshot(`
     "Thank you for your order

     Ticket ticket-1

     Total paid: $100.00

     Order order-981
     Payment 01933f6e-8c1a-7b3e-9d2f-5a6b7c8d9e0f
     Event 5f0c6a34-55c6-4c6a-9a3e-0d6f6f3b8a11
     "
    `);
    expect(mail.html).toContain('ticket-1');
    expect(mail.html).not.toContain('{{');
  });

  it('names every ticket in both parts', () => {
    const tickets = Array.from({ length: 1_000 }, (_, index) => ({
      ticketId: `ticket-${index}-`,
      seatId: `B-${index}-`,
    }));
    const { text, html } = rendered({ tickets });
    for (const { ticketId, seatId } of tickets) {
      expect(text).toContain(`Ticket ${ticketId}, seat ${seatId}\n`);
      expect(html).toContain(`>${ticketId}<`);
      expect(html).toContain(`>${seatId}<`);
    }
  });

  it('has the subject of the request where it names one', () => {
    const mail = rendered(WHOLE, { subject: 'See you <soon>' });
    expect(mail.subject).toBe('See you <soon>');
    expect(mail.html).toContain('<title>See you &lt;soon&gt;</title>');
  });
});

describe('what comes from outside', () => {
  const HOSTILE = `<script>alert("x")</script> & 'Co' {{orderId}} =\``;

  it.each(['orderId', 'transactionId', 'eventName', 'venueName'])(
    'is text in the HTML and itself in the text: %s',
    (name) => {
      const value = HOSTILE.slice(0, 60);
      const { text, html } = rendered({ ...WHOLE, [name]: value });
      expect(text).toContain(value);
      expect(html).not.toContain('<script');
      expect(html).toContain(
        '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#x27;Co&#x27; {{orderId}} &#x3D;&#x60;',
      );
    },
  );

  it('is text in the HTML and itself in the text: ticket and seat', () => {
    const { text, html } = rendered({ tickets: [{ ticketId: '<b>1</b>', seatId: '"&"' }] });
    expect(text).toContain('Ticket <b>1</b>, seat "&"');
    expect(html).toContain('&lt;b&gt;1&lt;/b&gt;');
    expect(html).toContain('&quot;&amp;&quot;');
  });
});
