//! The parts of the world that AWS keeps apart: what addresses end in there, and how resources are
//! named. <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partition {
    /// What its regions begin with.
    regions: &'static str,
    /// Second part of its ARNs.
    pub(super) name: &'static str,
    /// What its addresses end in.
    pub(super) domain: &'static str,
}

/// As botocore has them; the last one is everything else.
const PARTITIONS: [Partition; 8] = [
    of("cn-", "aws-cn", "amazonaws.com.cn"),
    of("us-gov-", "aws-us-gov", "amazonaws.com"),
    of("eusc-", "aws-eusc", "amazonaws.eu"),
    of("us-iso-", "aws-iso", "c2s.ic.gov"),
    of("us-isob-", "aws-iso-b", "sc2s.sgov.gov"),
    of("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"),
    of("us-isof-", "aws-iso-f", "csp.hci.ic.gov"),
    AWS,
];

const AWS: Partition = of("", "aws", "amazonaws.com");

const fn of(regions: &'static str, name: &'static str, domain: &'static str) -> Partition {
    Partition { regions, name, domain }
}

impl Partition {
    /// That of a region.
    pub(super) fn of(region: &str) -> &'static Self {
        let found = PARTITIONS.iter().find(|one| region.starts_with(one.regions));
        found.unwrap_or(&AWS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_partition() {
        for (region, name, domain) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("mx-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ] {
            let found = Partition::of(region);
            assert_eq!((found.name, found.domain), (name, domain), "{region}");
        }
    }
}
