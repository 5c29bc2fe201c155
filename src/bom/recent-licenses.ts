/**
 * Ids that the SPDX list got after 3.24, the list that the schemas of CycloneDX 1.6 were first published
 * with. A schema enumerates the ids it knows: a reader with an older copy of the list refuses a whole
 * document for one of these in `license.id`, and none in an expression.
 */
export const recentLicenses: ReadonlySet<string> = new Set(
  `
  ALGLIB-Documentation Advanced-Cryptics-Dictionary Artistic-dist Aspell-RU BOLA-1.1
  BSD-2-Clause-pkgconf-disclaimer BSD-2-Clause-pos-unchanged BSD-3-Clause-OpenWebUI BSD-3-Clause-Tso
  BSD-Mark-Modifications BSD-Source-Code-no-disclaimer BSD-Source-alt-GPL BSD-ask-to-endorse
  Boehm-GC-without-fee Brian-Gladman-3-Clause-no-conversion Buddy Bugroff CAPEC-tou CC-BY-NC-3.0-IGO
  CC-PDM-1.0 CC-SA-1.0 CryptoSwift DocBook-DTD DocBook-Schema DocBook-Stylesheet DocBook-XML
  ESA-PL-permissive-2.4 ESA-PL-strong-copyleft-2.4 ESA-PL-weak-copyleft-2.4 FDK-MPEG-H FSFULLRSD
  FSL-1.1-ALv2 FSL-1.1-MIT Game-Programming-Gems HDF5 HIDAPI HPND-Netrek HPND-SMC
  HPND-sell-variant-critical-systems Hippocratic-3.0-core ISO-permission Informatica InnoSetup MIPS
  MIT-Click MIT-STK MMPL-1.0.1 MVT-1.1 NIST-PD-TNT NTIA-PD OSC-1.0 OSSP OpenMDW-1.0 ParaType-Free-Font-1.3
  Ruby-pty SGMLUG-PM SMAIL-GPL SOFA SUL-1.0 Sendmail-Open-Source-1.1 TekHVC ThirdEye TrustedQSL
  Ubuntu-font-1.0 UnRAR Unlicense-libtelnet Unlicense-libwhirlpool Vixie-Cron WTFNMFPL WordNet
  X11-no-permit-persons X11-swapped any-OSI-perl-modules atc-game generic-xts hyphen-bulgarian jove
  libpng-1.6.35 man2html ngrep wwl
`
    .trim()
    .split(/\s+/),
);
