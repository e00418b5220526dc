/*
 * currency.c
 *	  The alphabetic currency codes of ISO 4217:2015.
 *
 * List one of the maintenance agency (SIX), and the codes withdrawn since 2022,
 * in which sums of those years stand.
 */
#include "base/compat.h"

#include "record/check.h"

static const char currencies[] =
"AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
"CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
"HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD "
"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
"QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD "
"TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT "
"XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL ";

bool
currency_is_known(const char *code, int length)
{
	if (length != 3)
		return false;
	for (const char *at = currencies; *at; at += 4)
		if (memcmp(at, code, 3) == 0)
			return true;
	return false;
}
