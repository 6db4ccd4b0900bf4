/** A certificate authority in memory: X.509 v3 certificates over P-256, written as DER by hand because node:crypto only reads them. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

const der = (tag: number, ...parts: Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const length =
    body.length < 0x80
      ? [body.length]
      : body.length < 0x100
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (dotted: string) => {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
};
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const name = (commonName: string, organizations: readonly string[]) => {
  const part = (type: string, text: string) => der(0x31, sequence(oid(type), der(0x0c, Buffer.from(text))));
  return sequence(...organizations.map((text) => part('2.5.4.10', text)), part('2.5.4.3', commonName));
};
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
const extension = (type: string, critical: boolean, value: Buffer) =>
  sequence(oid(type), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));

export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

interface Request {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** DNS names and addresses of a server; without them it is a client certificate. */
  readonly hosts?: readonly string[];
  readonly notAfter?: Date;
}

export class CertificateAuthority {
  readonly certificate: string;
  readonly #key: KeyObject;
  readonly #name = 'kubernetes';

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#key = privateKey;
    this.certificate = this.#sign(publicKey, name(this.#name, []), tenYears(), [
      extension('2.5.29.19', true, sequence(der(0x01, Buffer.from([0xff])))),
      extension('2.5.29.15', true, der(0x03, Buffer.from([0x02, 0x04]))),
    ]);
  }

  issue({ commonName, organizations = [], hosts, notAfter = tenYears() }: Request): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const usage = hosts ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
    const extensions = [
      extension('2.5.29.15', true, der(0x03, Buffer.from([0x07, 0x80]))),
      extension('2.5.29.37', false, sequence(oid(usage))),
    ];
    if (hosts) extensions.push(extension('2.5.29.17', false, sequence(...hosts.map(alternativeName))));
    return {
      certificate: this.#sign(publicKey, name(commonName, organizations), notAfter, extensions),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    };
  }

  #sign(subjectKey: KeyObject, subject: Buffer, notAfter: Date, extensions: Buffer[]): string {
    const serial = randomBytes(16);
    serial[0] = (serial[0]! & 0x3f) | 0x40;
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, serial),
      ecdsaWithSha256,
      name(this.#name, []),
      // an expired certificate must still be valid at some time before
      sequence(time(new Date(Math.min(Date.now(), notAfter.getTime()) - 3_600_000)), time(notAfter)),
      subject,
      subjectKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    );
    const signature = sign('sha256', body, this.#key);
    const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
    const lines = whole.toString('base64').match(/.{1,64}/g)!;
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function alternativeName(host: string): Buffer {
  if (isIP(host) === 4) return der(0x87, Buffer.from(host.split('.').map(Number)));
  return der(0x82, Buffer.from(host));
}

function tenYears(): Date {
  return new Date(Date.now() + 10 * 365 * 86_400_000);
}
