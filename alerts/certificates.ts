import type { Alert } from "./alert.ts";

/** What visitors of the domains are shown. */
export const certificates: readonly Alert[] = [
  {
    name: "CertificateExpires",
    severity: "critical",
    summary: "{{ $value | humanizePercentage }} of the time of {{ $labels.domain }}'s certificate is left",
    why: "it should have been renewed long ago; when it is over, browsers refuse the site",
    remedy: "see what the authority says",
    command: "./drydock edge certificates",
    expression: ({ certificateLeft }) =>
      "(drydock_certificate_not_after_timestamp_seconds - time()) / (drydock_certificate_not_after_timestamp_seconds " +
      `- drydock_certificate_not_before_timestamp_seconds) < ${certificateLeft / 100}`,
    for: "1h",
  },
  {
    name: "CertificateUntrusted",
    severity: "critical",
    summary: "browsers don't trust the certificate of {{ $labels.domain }}",
    why: "visitors are told that the site is not safe",
    remedy: "see whether the name has got a certificate of the authority yet",
    command: "./drydock edge certificates",
    expression: () => "drydock_certificate_trusted == 0",
    for: "10m",
  },
];
