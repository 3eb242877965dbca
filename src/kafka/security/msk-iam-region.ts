/** The region of an Amazon MSK cluster, out of the name of a broker. */

/**
 * `b-1.shop.a1b2c3.c4.kafka.eu-west-1.amazonaws.com`, serverless `boot-abc.c1.kafka-serverless.eu-west-1.amazonaws.com`,
 * multi-VPC `b-1.scram.shop.a1b2c3.c4.kafka.eu-west-1.amazonaws.com`, dual-stack `….api.aws`, and China's `….amazonaws.com.cn`.
 */
const BROKER =
  /\.kafka(?:-serverless)?\.([a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\.(?:amazonaws\.com|amazonaws\.com\.cn|api\.aws|api\.amazonwebservices\.com\.cn)\.?$/i;

/** Null when the name is not one of MSK's, as with an alias or an address. */
export function regionOf(host: string): string | null {
  return BROKER.exec(host)?.[1]?.toLowerCase() ?? null;
}
