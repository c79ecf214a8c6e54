//! Matrices of small integers, compared with the same in plain numbers.

use super::*;

/// Numbers that look random and are the same every time.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed | 1;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

fn made_of(rows: &[f32], n_columns: usize, grain: Grain) -> Matrix {
    let mut matrix = Matrix::new(n_columns, rows.len() / n_columns, grain);
    rows.chunks_exact(n_columns).for_each(|row| matrix.push(Cpu::detect(), row));
    matrix
}

fn multiplied(cpu: Cpu, matrix: &Matrix, input: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let mut packed = Packed::default();
    packed.fill(cpu, input, matrix);
    let mut out = vec![f32::NAN; packed.n_rows * matrix.n_rows];
    matrix.multiply(cpu, &packed, bias, &mut out);
    out
}

/// Wide registers or not, and both grains.
const EVERY: [(bool, Grain); 4] =
    [(true, Grain::Coarse), (true, Grain::Fine), (false, Grain::Coarse), (false, Grain::Fine)];

#[test]
fn every_shape_comes_near_the_product_of_real_numbers_on_every_kind_of_machine() {
    for (n_rows, n_columns, n_inputs) in [
        (1, 32, 1),
        (11, 576, 1),
        (9, 1536, 1),
        (2, 192, 5),
        (5, 384, 27),
        (7, 224, 3),
        (4, 1536, 2),
        (3, 576, 50),
    ] {
        let (weights, input, bias) =
            (numbers(n_rows * n_columns, 1), numbers(n_inputs * n_columns, 2), numbers(n_rows, 3));
        for (cpu, grain) in
            EVERY.map(|(wide, grain)| (if wide { Cpu::detect() } else { Cpu::Plain }, grain))
        {
            let matrix = made_of(&weights, n_columns, grain);
            let out = multiplied(cpu, &matrix, &input, Some(&bias));
            for (at, value) in out.iter().enumerate() {
                let (row, column) = (at / n_rows, at % n_rows);
                let pairs = input[row * n_columns..]
                    .iter()
                    .zip(&weights[column * n_columns..])
                    .take(n_columns);
                let right = bias[column] + pairs.map(|(a, b)| a * b).sum::<f32>();
                let error = (value - right).abs();
                assert!(
                    error < 0.012 * (n_columns as f32).sqrt(),
                    "{n_rows}×{n_columns} at {at}: {value}, not {right}"
                );
            }
        }
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let matrix = made_of(&[1e30; 1536], 1536, Grain::Coarse);
    for input in [[1e-3_f32; 1536], [-1e-3; 1536]] {
        for cpu in [Cpu::detect(), Cpu::Plain] {
            let out = multiplied(cpu, &matrix, &input, None)[0];
            let right = 1536.0 * 1e30 * input[0];
            assert!((out / right - 1.0).abs() < 1e-3, "{out} is not {right}");
        }
    }
}

#[test]
fn zeros_tiny_numbers_and_what_is_no_number_come_to_numbers() {
    let matrix = made_of(
        &[[0.0; 32], [1e-44; 32], [f32::NAN; 32], [f32::INFINITY; 32]].concat(),
        32,
        Grain::Coarse,
    );
    for value in [0.0, 1.0, 1e-44, f32::NAN, f32::INFINITY] {
        for cpu in [Cpu::detect(), Cpu::Plain] {
            assert!(
                multiplied(cpu, &matrix, &[value; 32], None).iter().all(|out| *out == 0.0),
                "{value}"
            );
        }
    }
}

#[test]
fn a_row_is_remembered_within_a_hundredth_of_its_largest_number() {
    let row = numbers(500, 7);
    let mut out = vec![0.0; 500];
    made_of(&row, 500, Grain::Fine).row(0, &mut out);
    assert!(row.iter().zip(&out).all(|(a, b)| (a - b).abs() < 0.01));
}
