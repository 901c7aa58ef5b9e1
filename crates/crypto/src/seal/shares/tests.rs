//! Tests of shares and of their text.

use super::*;

fn rejection<T>(result: Result<T, Error>) -> ShareRejection {
    match result.err().expect("a refusal") {
        Error::ShareRejected(rejection) => rejection,
        other => panic!("{other}"),
    }
}

/// Every way to take `count` of the shares.
fn choices(shares: &[Share], count: usize) -> Vec<Vec<&Share>> {
    (0_u32..1 << shares.len())
        .filter(|mask| mask.count_ones() as usize == count)
        .map(|mask| {
            let taken = shares.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1);
            taken.map(|(_, share)| share).collect()
        })
        .collect()
}

#[test]
fn any_threshold_of_shares_gives_the_key_and_more_do_as_well() {
    let key = SealKey::generate().unwrap();
    for (threshold, count) in [(2, 2), (2, 5), (3, 5), (5, 5)] {
        let shares = key.split(threshold, count).unwrap();
        assert_eq!(shares.len(), usize::from(count));
        for taken in threshold..=count {
            for choice in choices(&shares, usize::from(taken)) {
                let given = SealKey::combine(&choice).unwrap();
                assert_eq!(given.locked().expose(), key.locked().expose());
            }
        }
    }
    let most = key.split(SHARES_MAX, SHARES_MAX).unwrap();
    let given = SealKey::combine(&most.iter().rev().collect::<Vec<_>>()).unwrap();
    assert_eq!(given.locked().expose(), key.locked().expose());
}

/// Fewer shares fit every key: to two shares of three there is a third for each value.
#[test]
fn fewer_shares_say_nothing() {
    let key = SealKey::generate().unwrap();
    let shares = key.split(3, 3).unwrap();
    let mut seen = [false; 256];
    for value in 0..=u8::MAX {
        let points = [shares[0].point(0), shares[1].point(0), {
            Point::with_identifier_and_value(
                IdentifierGf256(Gf256(3)),
                IdentifierGf256(Gf256(value)),
            )
        }];
        let mut byte = IdentifierGf256::ZERO;
        points.combine_in_place(&mut byte).unwrap();
        seen[usize::from(byte.0.0)] = true;
    }
    assert!(seen.iter().all(|one| *one));
}

#[test]
fn a_set_is_made_anew_each_time() {
    let key = SealKey::generate().unwrap();
    let (one, other) = (key.split(2, 3).unwrap(), key.split(2, 3).unwrap());
    assert_ne!(one[0].set(), other[0].set());
    assert_ne!(one[0].value.expose(), other[0].value.expose());
    assert_ne!(one[0].id().unwrap(), other[0].id().unwrap());
    assert_ne!(one[0].id().unwrap(), one[1].id().unwrap());
    assert_eq!(rejection(SealKey::combine(&[&one[0], &other[1]])), ShareRejection::OtherSet);
    assert_eq!(
        rejection(SealKey::combine(&[&one[1], &one[1]])),
        ShareRejection::Duplicate { number: 2 }
    );
    assert_eq!(
        rejection(SealKey::combine(&[&one[1]])),
        ShareRejection::TooFew { given: 1, threshold: 2 }
    );
    assert!(matches!(rejection(SealKey::combine(&[])), ShareRejection::TooFew { given: 0, .. }));
}

#[test]
fn thresholds_and_counts_out_of_bounds_are_refused() {
    let key = SealKey::generate().unwrap();
    for (threshold, count) in [(0, 0), (0, 3), (1, 1), (1, 3), (4, 3), (2, 33), (255, 255)] {
        assert_eq!(rejection(key.split(threshold, count)), ShareRejection::Bounds);
    }
}

#[test]
fn a_share_reads_back_from_what_a_person_makes_of_its_text() {
    let share = SealKey::generate().unwrap().split(3, 5).unwrap().remove(3);
    let text = share.text().unwrap();
    assert_eq!(text.len(), 88);
    let written = [
        text.to_string(),
        text.to_lowercase(),
        format!("  {}\r\n", *text),
        text.replacen('-', "-\u{20}", 3),
        format!("SRS1-{}", text[5..].replace('-', "")),
        text[..5].to_owned() + &text[5..].replace('0', "o").replace('1', "l"),
        text[..5].to_owned() + &text[5..].replace('0', "O").replace('1', "I"),
    ];
    for text in written {
        let read = Share::parse(&text).unwrap();
        assert_eq!((read.number(), read.threshold(), read.set()), (4, 3, share.set()));
        assert_eq!(read.value.expose(), share.value.expose());
        assert_eq!(read.id().unwrap(), share.id().unwrap());
    }
}

#[test]
fn every_typing_error_is_found() {
    let share = SealKey::generate().unwrap().split(2, 2).unwrap().remove(0);
    let text = share.text().unwrap();
    for position in 0..text.len() {
        let letter = text.as_bytes()[position];
        if position < PREFIX.len() || letter == b'-' {
            continue;
        }
        let other = if letter == b'Z' { "Y" } else { "Z" };
        let mut altered = text.to_string();
        altered.replace_range(position..=position, other);
        assert_eq!(rejection(Share::parse(&altered)), ShareRejection::Mistyped, "{position}");
        let mut short = text.to_string();
        short.remove(position);
        assert_eq!(rejection(Share::parse(&short)), ShareRejection::NotAShare);
        // Two neighbours that are the other way round.
        if let Some(next) = text.as_bytes().get(position + 1).filter(|next| **next != b'-') {
            let swapped = [&text[..position], &char::from(*next).to_string()].concat()
                + &char::from(letter).to_string()
                + &text[position + 2..];
            if *next != letter {
                assert_eq!(rejection(Share::parse(&swapped)), ShareRejection::Mistyped);
            }
        }
    }
}

#[test]
fn what_is_no_share_is_told_from_a_mistyped_one() {
    let share = SealKey::generate().unwrap().split(2, 2).unwrap().remove(0);
    let text = share.text().unwrap();
    let long = format!("SRS1-{}", "0".repeat(5000));
    for other in [
        "",
        "SRS1",
        "SRS1-",
        "\u{1f511}\u{1f511}\u{1f511}",
        "correct horse battery staple",
        &text[5..],
        &text[..text.len() - 1],
        &text.replace("SRS1", "SRS2"),
        &format!("{}0", *text),
        &format!("SRS1-{}", "U".repeat(LETTERS)),
        &long,
    ] {
        assert_eq!(rejection(Share::parse(other)), ShareRejection::NotAShare, "{other}");
    }
    assert_eq!(rejection(Share::parse(&with([2, 2, 1]))), ShareRejection::Version { found: 2 });
    for [threshold, number] in [[1, 1], [0, 1], [33, 1], [2, 0], [2, 33], [255, 255]] {
        let text = with([VERSION, threshold, number]);
        assert_eq!(rejection(Share::parse(&text)), ShareRejection::Bounds);
    }
}

/// The text, checksum and all, of a share with that version, threshold and number.
fn with([version, threshold, number]: [u8; 3]) -> String {
    let mut bytes = [7; BYTES];
    (bytes[0], bytes[THRESHOLD_AT], bytes[NUMBER_AT]) = (version, threshold, number);
    let sum = checksum(&bytes[..CHECKSUM_AT]).unwrap();
    bytes[CHECKSUM_AT..].copy_from_slice(&sum);
    format!("{PREFIX}{}", LETTERS_OF.as_ref().unwrap().encode(&bytes))
}

#[test]
fn numbers_that_run_out_are_told() {
    let mut drawn = Drawn::enough_for(2).unwrap();
    for _ in 0..LEN {
        drawn.try_next_u32().unwrap();
    }
    assert!(!drawn.short);
    drawn.try_next_u32().unwrap();
    assert!(drawn.short);
}
