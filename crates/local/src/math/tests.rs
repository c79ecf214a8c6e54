//! The small functions of numbers, compared with what they stand for.

use super::*;

#[test]
fn exp_is_exp() {
    for step in -870..=400 {
        let value = step as f32 / 10.0;
        let (ours, right) = (exp(value), value.exp());
        assert!((ours / right - 1.0).abs() < 1e-5, "exp({value}) = {right}, not {ours}");
    }
    assert!(exp(-1e9) < 1e-37 && exp(f32::NEG_INFINITY) < 1e-37);
}

#[test]
fn gelu_is_half_below_and_whole_far_above_zero() {
    let mut values = [-10.0, -1.0, 0.0, 1.0, 2.0, 10.0];
    gelu(&mut values);
    for (ours, right) in
        values.iter().zip([0.0, -0.158_655_26, 0.0, 0.841_344_7, 1.954_499_7, 10.0])
    {
        assert!((ours - right).abs() < 1e-6, "{ours} is not {right}");
    }
}

#[test]
fn a_normalised_row_has_mean_zero_and_variance_one() {
    let mut rows = [1.0, 2.0, 3.0, 4.0];
    add_and_normalise(&mut rows, Some(&[1.0, 1.0, 1.0, 1.0]), &[1.0; 4], &[0.0; 4], 0.0);
    assert!(rows.iter().sum::<f32>().abs() < 1e-6 && (dot(&rows, &rows) / 4.0 - 1.0).abs() < 1e-6);
}

#[test]
fn attention_to_one_key_is_its_value() {
    let head = Head { size: 2, query_at: 2, key_at: 0, key_width: 2 };
    let mut out = [9.0; 4];
    head.look(
        &[0.0, 0.0, 3.0, 4.0],
        &[1.0, 2.0, 5.0, 5.0],
        &[7.0, 8.0, 0.0, 0.0],
        &mut [0.0],
        &mut out,
    );
    assert_eq!(out, [9.0, 9.0, 7.0, 8.0]);
}

#[test]
fn both_ways_to_look_see_the_same() {
    let head = Head { size: 35, query_at: 0, key_at: 5, key_width: 40 };
    let numbers: Vec<f32> =
        (0..40 * 45).map(|at| ((at * 7919) % 101) as f32 / 50.0 - 1.0).collect();
    for n in [2, 32, 33, 34, 45] {
        let (mut plain, mut turned, mut keys) = ([0.0; 35], [0.0; 35], Vec::new());
        head.look(&numbers, &numbers, &numbers[3..], &mut vec![0.0; n - 1], &mut plain);
        head.turn(&numbers, n - 1, &mut keys);
        head.look_turned(&numbers, &keys, &numbers[3..], &mut vec![0.0; n - 1], &mut turned);
        assert!(plain.iter().zip(turned).all(|(a, b)| (a - b).abs() < 1e-5), "{n}");
    }
}
